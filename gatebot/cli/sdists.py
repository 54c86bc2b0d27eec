# SPDX-License-Identifier: Apache-2.0
"""`gatebot project import-sdist`: source distributions of a package index as a repository with a tag for each.

Fetched and unpacked here, never built: nothing of the package runs. What its builder made from git (metadata, change
log) is left out, so that version tools of the repository ask git and its tags.
"""

from __future__ import annotations

import gzip
import hashlib
import shutil
import ssl
import tarfile
import tempfile
import urllib.error
import urllib.request
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import IO, cast

import click

from ..errors import Invalid, NotFound, Unavailable
from ..executor import host_mirrors
from ..executor.providers.trees import unpacked
from .histories import git, make_project, push_history
from .output import Output
from .sdist_index import ACCEPT, Sdist, chosen, in_order, page_of, requirement

_LARGEST = 1024 * 1024 * 1024  # of an archive, and of what is in it
_PATIENCE = 60.0
#: Where a contributor's git-review would go: to the site that the package came from.
_ELSEWHERE = (".gitreview",)
_ZUUL = (".zuul.yaml", "zuul.yaml", ".zuul.d", "zuul.d")


@click.command("import-sdist")
@click.argument("requirements", nargs=-1, required=True, metavar="PACKAGE==VERSION...")
@click.option("--name", help="The project's name; default: the package's.")
@click.option("--branch", default="main", show_default=True, help="The branch that gets the commits.")
@click.option("--index", metavar="URL", help="A package index; default: the one that pip of this machine uses.")
@click.option("--leave-out", multiple=True, metavar="PATH", help="A file or directory that is not wanted; repeatable.")
@click.pass_obj
def import_sdist(
    out: Output, requirements: Sequence[str], name: str | None, branch: str, index: str | None,
    leave_out: Sequence[str],
) -> None:  # fmt: skip
    """Host a package of PyPI, with a commit and tag a version. The oldest first."""
    client = out.client()
    source = _Index(index)
    found = in_order(map(source.find, requirements))
    name = name or found[0].name
    with tempfile.TemporaryDirectory(prefix="gatebot-sdist-") as scratch:
        repository = Path(scratch) / "repository"
        git(["init", "--quiet", "--initial-branch", branch, str(repository)], "cannot be made")
        for sdist in found:
            archive = source.fetch(sdist, Path(scratch) / "sdist.tar.gz")
            commit(repository, sdist, archive, (*_ELSEWHERE, *leave_out))
        zuul = any((repository / one).exists() for one in _ZUUL)
        make_project(client, name, empty_commit=False)
        push_history(client, name, repository)
    tags = [str(one.version) for one in found]
    lines = [
        f"Project {name} made from {', '.join(tags)}.",
        f"  git clone {client.url}/{name}",
        f"  {client.url}/project/{name}",
    ]
    if zuul:
        lines.append(
            "  It brings Zuul configuration of another site. What of it does not fit here: gatebot config errors"
        )
    out.text({"name": name, "url": f"{client.url}/{name}", "tags": tags}, lines)


def commit(repository: Path, sdist: Sdist, archive: Path, leave_out: Sequence[str]) -> None:
    """The next commit of `repository`: what the archive holds, with the version as its tag."""
    for entry in repository.iterdir():
        if entry.name != ".git":
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    top = _unpack(archive, repository.parent / "unpacked")
    for entry in (*_built(top), *(top / one for one in leave_out)):
        if not entry.resolve().is_relative_to(top.resolve()):
            raise Invalid(f"'{entry.relative_to(top)}' is not inside the package. Name paths as they are in it.")
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)
    for entry in top.iterdir():
        shutil.move(entry, repository / entry.name)
    shutil.rmtree(top.parent)
    who = {"NAME": "import-sdist", "EMAIL": "import-sdist@localhost", "DATE": f"{_newest(archive)} +0000"}
    environment = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()}
    message = f"{sdist.name} {sdist.version}\n\nImported from its source distribution, sha256 {sdist.sha256}.\n"
    git(["-C", str(repository), "add", "--all", "--force"], "cannot be made")
    git(["-C", str(repository), "commit", "--quiet", "--allow-empty", "-m", message], "cannot be made", environment)
    git(["-C", str(repository), "tag", str(sdist.version)], "cannot be made")


def _unpack(archive: Path, into: Path) -> Path:
    """The one directory that a source distribution has."""
    with gzip.open(archive) as stream:
        whole = unpacked(cast("IO[bytes]", stream), into, _LARGEST)
    tops = list(into.iterdir())
    if not whole or len(tops) != 1 or not tops[0].is_dir():
        raise Invalid("The archive is damaged, or no source distribution: it must have one directory with everything.")
    return tops[0]


def _newest(archive: Path) -> int:
    """When its youngest file was made, in seconds since 1970: importing it again gives the same commit."""
    with tarfile.open(archive) as entries:
        return int(max((one.mtime for one in entries), default=0))


def _built(top: Path) -> list[Path]:
    """What a builder added to the files of the repository."""
    made = [top / "PKG-INFO", *top.glob("*.egg-info"), *top.glob("*/*.egg-info")]
    uses = (top / one for one in ("setup.py", "setup.cfg", "pyproject.toml"))
    if any(one.is_file() and "pbr" in one.read_text(errors="replace") for one in uses):
        made += [top / "AUTHORS", top / "ChangeLog"]  # pbr writes them from the history
    return made


class _Index:
    """A package index."""

    def __init__(self, url: str | None) -> None:
        mirrors = host_mirrors.read()
        self._url = url or mirrors.environment["PIP_INDEX_URL"]
        self._tls = ssl.create_default_context(cafile=mirrors.bundle or None)

    def find(self, text: str) -> Sdist:
        """The source distribution that a requirement means."""
        wanted = requirement(text)
        page = page_of(self._url, wanted)
        return chosen(wanted, page, self._read(page, ACCEPT))

    def fetch(self, sdist: Sdist, target: Path) -> Path:
        """Its archive, which must be the one that the index promises."""
        content = self._read(sdist.url, "*/*")
        if hashlib.sha256(content).hexdigest() != sdist.sha256:
            raise Invalid(f"{sdist.url} is not what the index promises (sha256 {sdist.sha256}). Nothing was imported.")
        target.write_bytes(content)
        return target

    def _read(self, url: str, accept: str) -> bytes:
        if not url.startswith(("https://", "http://")):
            raise Invalid(f"{url} is no address of a package index: it begins with https://")
        request = urllib.request.Request(url, headers={"Accept": accept})  # noqa: S310 - checked above
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE, context=self._tls) as answer:  # noqa: S310
                content = answer.read(_LARGEST + 1)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == HTTPStatus.NOT_FOUND:
                raise NotFound(f"The index knows no such package: {url}") from None
            raise Unavailable(f"{url} answers {error.code}.") from None
        except (urllib.error.URLError, OSError) as error:
            raise Unavailable(f"{url} does not answer ({getattr(error, 'reason', error)}).") from None
        if len(content) > _LARGEST:
            raise Invalid(f"{url} is larger than 1 GiB. Nothing was imported.")
        return content
