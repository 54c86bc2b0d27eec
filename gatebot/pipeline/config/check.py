# SPDX-License-Identifier: Apache-2.0
"""Checking configuration without a server: which files count, what is wrong, what a change makes worse.

Pure: `check` takes the files of one repository and is what `gatebot config check` prints by `told`; `new_errors` tells
the errors that a change brings from those that were there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from ...reasons import Reason, reason
from .build import build
from .freeze import freeze
from .layout import Sources
from .model import ConfigError, Location
from .objects import ConfigFile
from .parse import parse_file
from .tenant import Tenant, TenantProject

# In this order; the first that is there is read, and the others are not.
ROOTS = ("zuul.yaml", "zuul.d", ".zuul.yaml", ".zuul.d")
IGNORE = ".zuul.ignore"


def config_paths(paths: Iterable[str], extra: Sequence[str] = ()) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The configuration files among the paths of a repository, in reading order, and the roots that are not read."""
    known = list(paths)
    roots = [root for root in ROOTS if any(path == root or path.startswith(f"{root}/") for path in known)]
    wanted = [*roots[:1], *(path.rstrip("/") for path in extra)]
    hidden = tuple(path.removesuffix(IGNORE) for path in known if path.endswith(f"/{IGNORE}"))
    found: dict[str, None] = {}
    for root in wanted:
        below = sorted(path for path in known if path.startswith(f"{root}/") and path.endswith(".yaml"))
        files = [root] if root in known else [path for path in below if not path.startswith(hidden or "\0")]
        found.update(dict.fromkeys(files))
    return tuple(found), tuple(roots[1:])


def touches_config(paths: Iterable[str] | None, extra: Sequence[str] = ()) -> bool:
    """Whether a change of these files may change configuration; of unknown files it may."""
    if paths is None:
        return True
    roots = (*ROOTS, *(path.rstrip("/") for path in extra))
    return any(path == root or path.startswith(f"{root}/") for path in paths for root in roots)


def unread_roots(at: Location, read: Sequence[str], others: Sequence[str]) -> tuple[ConfigFile, ...]:
    """An error for each further root, which Zuul and gatebot do not read."""
    return tuple(
        ConfigFile(at=place, errors=(ConfigError(reason("config.second-root", root=root, read=first), place),))
        for root in others
        for place, first in [(replace(at, path=root), read[0].partition("/")[0] if read else "")]
    )


def check(
    files: Mapping[str, bytes],
    *,
    trusted: bool = False,
    project: str = "",
    branch: str = "main",
    base: Mapping[str, bytes] | None = None,
) -> list[ConfigError]:
    """Everything that is wrong with the configuration of one repository, by file and line.

    `files` are all of its files by path. `base` is the configuration of the site (`gatebot-config`), with whose jobs
    and templates this is read together; without it, references to names that are not here cannot be judged and are
    left out, as are other projects always. What only shows where jobs are frozen (dependencies in a circle, a job with
    nothing to run) is told of those that the project lists.
    """
    here = TenantProject(project, trusted=trusted)
    site = TenantProject(SITE, trusted=True)
    parsed = {(project, branch): _parsed(files, project, branch)}
    projects = (here,)
    if base is not None:
        parsed[site.name, branch] = _parsed(base, site.name, branch)
        projects = (site, here)
    tenant = Tenant("check", projects)
    layout = build(tenant, Sources({one.name: (branch,) for one in projects}, parsed))
    graphs = [freeze(layout, pipeline, project, branch) for pipeline in layout.pipelines] if base is not None else []
    errors = dict.fromkeys((*layout.errors, *(error for graph in graphs for error in graph.errors)))
    mine = [error for error in errors if error.at.project == project]
    unjudged = _PROJECTS if base is not None else _PROJECTS | _NAMES
    mine = [error for error in mine if error.reason.kind not in unjudged]
    return sorted(mine, key=lambda error: (error.at.path, error.at.line))


#: The config project that every new site has.
SITE = "gatebot-config"
#: Errors of what is for config projects only.
FOR_CONFIG_PROJECTS = frozenset({"config.pipeline-not-here", "config.base-job-not-here", "config.not-your-project"})
# Errors that may be nothing but the lack of the rest of the tenant.
_PROJECTS = frozenset({"config.unknown-project", "config.unknown-required-project", "config.unknown-role-project"})
_NAMES = frozenset(
    f"config.unknown-{what}"
    for what in ("parent", "job", "template", "nodeset", "secret", "image", "flavor", "label", "section")
)


def _parsed(files: Mapping[str, bytes], project: str, branch: str) -> tuple[ConfigFile, ...]:
    paths, others = config_paths(files)
    at = Location(project, branch, "")
    return (
        *(parse_file(files[path], replace(at, path=path)) for path in paths),
        *unread_roots(at, paths, others),
    )


def new_errors(before: Iterable[ConfigError], after: Iterable[ConfigError]) -> tuple[ConfigError, ...]:
    """The errors that a change brings: those that were there, be it on another line, do not count."""
    known = {_same(error) for error in before}
    return tuple(error for error in after if _same(error) not in known)


def _same(error: ConfigError) -> tuple[Reason, Location, str]:
    return error.reason, replace(error.at, line=0), error.stanza


def told(errors: Iterable[ConfigError], say: Callable[[Reason], str]) -> str:
    """The errors as a terminal shows them: place, sentence, and the lines with the one at fault marked."""
    blocks: list[str] = []
    for error in errors:
        at = error.at
        place = f"{at.path}:{at.line}" if at.line else at.path
        lines = [f"{place}: {say(error.reason)}"]
        width = len(str(max((number for number, _ in error.snippet), default=0)))
        lines += [f"  {'>' if number == at.line else ' '} {number:>{width}} | {text}" for number, text in error.snippet]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)
