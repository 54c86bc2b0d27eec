# SPDX-License-Identifier: Apache-2.0
"""Jobs: from a checked mapping to a frozen variant, with the rules that one definition can break by itself.

Used for `job` stanzas and for the jobs of a project's pipeline. Finds problems into the given list; what it returns is
used only when there are none.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace

from ...architectures import ARCHITECTURES, canonical
from ...assignment import IncludeVars, JobDependency, ProjectChoice, RequiredProject
from ...expressions import compiled, strictly
from ...reasons import reason
from . import ansible
from .fields import entries, flag, number, patterns, text, texts, variables
from .model import Location
from .objects import Nodeset, PlaybookRef, SecretUse, SemaphoreUse, Variant
from .parse_nodeset import nodeset
from .schema import IDENTIFIER, RESERVED, Findings
from .tables_jobs import JOB_ATTRIBUTES
from .yamltext import Node, Tagged, YamlList, YamlMap

# Attributes that change nothing of what a job does by themselves: they never count as said.
_IDLE = {
    *("name", "description", "variant-description", "success-url", "failure-url", "branches", "attribute-control"),
    "secrets",
}
# What leads to other objects, or is limited by the tenant.
_REFERRING = frozenset(
    {
        *("parent", "nodeset", "dependencies", "roles", "secrets", "timeout", "pre-timeout", "post-timeout"),
        *("required-projects", "allowed-projects", "include-projects", "exclude-projects", "include-vars"),
    }
)
_ALIASES = {"override-branch": "override-checkout", "semaphore": "semaphores"}
# Programs that read these could be led astray by an earlier playbook.
_UNSAFE_HOME_PATHS = (".ssh/config", ".kube/config")


@dataclass(frozen=True, slots=True)
class Place:
    """The file that a stanza stands in; `at(line)` is a place of it."""

    file: Location

    def at(self, line: int) -> Location:
        return replace(self.file, line=line)


def variant(conf: YamlMap, name: str, place: Place, found: Findings, *, in_project: bool = False) -> Variant:
    """One definition of a job."""
    overrides, inherits = _tags(conf)
    made = Variant(
        name=name,
        at=place.at(conf.line),
        said=_attributes(conf),
        refers=not _REFERRING.isdisjoint(conf),
        in_project=in_project,
        parent=text(conf, "parent"),
        base="parent" in conf and conf["parent"] is None,
        branches=patterns(conf, "branches"),
        overrides=overrides,
        inherits=inherits,
        finals=_finals(conf),
        description=text(conf, "description"),
        run=_playbooks(conf, "run") or None,
        pre_run=_playbooks(conf, "pre-run"),
        post_run=_playbooks(conf, "post-run"),
        cleanup_run=_playbooks(conf, "cleanup-run"),
        nodeset=_nodeset_of(conf, place, found),
        files=patterns(conf, "files"),
        irrelevant_files=patterns(conf, "irrelevant-files"),
        dependencies=_dependencies(conf),
        required_projects=_required_projects(conf),
        include_projects=_choices(conf, "include-projects", found),
        exclude_projects=_choices(conf, "exclude-projects", found),
        vars=variables(conf, "vars"),
        extra_vars=variables(conf, "extra-vars"),
        host_vars=variables(conf, "host-vars"),
        group_vars=variables(conf, "group-vars"),
        include_vars=_include_vars(conf, place, found),
        roles=_named(conf, "roles", "zuul"),
        semaphores=_semaphores(conf, "semaphores") or _semaphores(conf, "semaphore"),
        failure_output=texts(conf, "failure-output"),
        secrets=_secrets(conf),
        allowed_projects=texts(conf, "allowed-projects"),
        tags=texts(conf, "tags"),
        provides=texts(conf, "provides"),
        requires=texts(conf, "requires"),
        preserve_home_paths=_home_paths(conf, found),
        inputs=texts(conf, "inputs"),
        arch=_arch(conf, found),
        execution=text(conf, "execution"),
    )
    _own_rules(conf, made, found)
    return _with_plain(conf, made, found)


def _arch(conf: YamlMap, found: Findings) -> str | None:
    given = text(conf, "arch")
    if given is None:
        return None
    arch = canonical(given)
    if arch not in ARCHITECTURES:
        found.add(conf.lines["arch"], reason("config.unknown-arch", arch=given, known=", ".join(ARCHITECTURES)))
    return arch


def _with_plain(conf: YamlMap, made: Variant, found: Findings) -> Variant:
    """The definition with its attributes of a single value."""
    return replace(
        made,
        timeout=number(conf, "timeout"),
        pre_timeout=number(conf, "pre-timeout"),
        post_timeout=number(conf, "post-timeout"),
        attempts=number(conf, "attempts"),
        voting=flag(conf, "voting"),
        match_on_config_updates=flag(conf, "match-on-config-updates"),
        override_checkout=text(conf, "override-checkout") or text(conf, "override-branch"),
        secret_exposure=text(conf, "secret-exposure"),
        abstract=flag(conf, "abstract"),
        final=flag(conf, "final"),
        protected=flag(conf, "protected"),
        intermediate=flag(conf, "intermediate"),
        post_review=flag(conf, "post-review"),
        hold_following_changes=flag(conf, "hold-following-changes"),
        success_message=text(conf, "success-message"),
        failure_message=text(conf, "failure-message"),
        type=text(conf, "type"),
        deduplicate=_flag_or_auto(conf, "deduplicate"),
        workspace_scheme=text(conf, "workspace-scheme"),
        workspace_checkout=_flag_or_auto(conf, "workspace-checkout"),
        image_build_name=text(conf, "image-build-name"),
        ansible_version=ansible.version(conf, "ansible-version", found),
        ansible_split_streams=flag(conf, "ansible-split-streams"),
    )


def _attributes(conf: YamlMap) -> tuple[str, ...]:
    """The attributes that a definition sets; an empty list or mapping, untagged, sets nothing."""
    known = (key for key in conf if key in JOB_ATTRIBUTES and key not in _IDLE)
    return tuple(
        _ALIASES.get(key, key) for key in known if not (isinstance(conf[key], YamlMap | YamlList) and not conf[key])
    )


def _tags(conf: YamlMap) -> tuple[frozenset[str], frozenset[str]]:
    """The attributes under `!override` and those under `!inherit`."""
    tagged = [(name, value) for name, value in conf.items() if isinstance(value, Tagged)]
    return (
        frozenset(name for name, value in tagged if value.override),
        frozenset(name for name, value in tagged if not value.override),
    )


def _own_rules(conf: YamlMap, made: Variant, found: Findings) -> None:
    """What one definition can get wrong without looking at any other."""
    if flag(conf, "intermediate") and not flag(conf, "abstract"):
        found.add(conf.lines["intermediate"], reason("config.intermediate-not-abstract"))
    if flag(conf, "post-review") is False:
        found.add(conf.lines["post-review"], reason("config.post-review-unset"))
    before, whole = number(conf, "pre-timeout"), number(conf, "timeout")
    if before and whole and before > whole:
        found.add(conf.lines["pre-timeout"], reason("config.pre-timeout-too-long", pre=before, timeout=whole))
    for expression, line in entries(conf, "failure-output") or ():
        try:
            strictly(str(expression))
        except ValueError as problem:
            why = reason("config.bad-regex", attribute="failure-output", regex=str(expression), problem=str(problem))
            found.add(line, why)
    for use in made.secrets or ():
        if not compiled(IDENTIFIER).match(use.name) or use.name in RESERVED:
            found.add(conf.lines["secrets"], reason("config.secret-variable", name=use.name))
    books = (*(made.pre_run or ()), *(made.run or ()), *(made.post_run or ()), *(made.cleanup_run or ()))
    during = {name for book in books for name in book.semaphores}
    for use in made.semaphores or ():
        if use.name in during:
            line = conf.lines.get("semaphores", conf.lines.get("semaphore", conf.line))
            found.add(line, reason("config.semaphore-twice", semaphore=use.name))


def _finals(conf: YamlMap) -> frozenset[str]:
    control = conf.get("attribute-control")
    if not isinstance(control, YamlMap):
        return frozenset()
    return frozenset(name for name, said in control.items() if isinstance(said, YamlMap) and flag(said, "final"))


def _flag_or_auto(conf: YamlMap, attribute: str) -> bool | str | None:
    value = flag(conf, attribute)
    return text(conf, attribute) if value is None else value


def _named(conf: YamlMap, attribute: str, key: str) -> tuple[str, ...] | None:
    """Names of a list whose entries are strings or mappings with the name under `key`."""
    found = entries(conf, attribute)
    return None if found is None else tuple(name for name in (_name(item, key) for item, _ in found) if name)


def _name(item: Node, key: str) -> str:
    if isinstance(item, YamlMap):
        return text(item, key) or ""
    return item if isinstance(item, str) else ""


def _said(item: Node, key: str, default: bool = False) -> bool:
    """A flag of an entry that may be but a name."""
    value = flag(item, key) if isinstance(item, YamlMap) else None
    return default if value is None else value


def _playbooks(conf: YamlMap, attribute: str) -> tuple[PlaybookRef, ...] | None:
    found = entries(conf, attribute)
    if found is None:
        return None
    return tuple(
        PlaybookRef(
            _name(item, "name"),
            tuple(sorted(texts(item, "semaphores") or ())) if isinstance(item, YamlMap) else (),
            _said(item, "cleanup"),
        )
        for item, _ in found
    )


def _semaphores(conf: YamlMap, attribute: str) -> tuple[SemaphoreUse, ...]:
    return tuple(
        SemaphoreUse(_name(item, "name"), _said(item, "resources-first")) for item, _ in entries(conf, attribute) or ()
    )


def _dependencies(conf: YamlMap) -> tuple[JobDependency, ...] | None:
    found = entries(conf, "dependencies")
    if found is None:
        return None
    return tuple(JobDependency(_name(item, "name"), _said(item, "soft")) for item, _ in found)


def _required_projects(conf: YamlMap) -> tuple[RequiredProject, ...] | None:
    found = entries(conf, "required-projects")
    return None if found is None else tuple(RequiredProject(_name(item, "name"), _checkout(item)) for item, _ in found)


def _checkout(item: Node) -> str:
    if not isinstance(item, YamlMap):
        return ""
    return text(item, "override-checkout") or text(item, "override-branch") or ""


def _choices(conf: YamlMap, attribute: str, found: Findings) -> tuple[ProjectChoice, ...] | None:
    listed = entries(conf, attribute)
    if listed is None:
        return None
    choices: list[ProjectChoice] = []
    for item, line in listed:
        kind = (text(item, "type") if isinstance(item, YamlMap) else None) or "name"
        choice = ProjectChoice(kind, _name(item, "name"))
        if (choice.type == "name") != bool(choice.name):
            found.add(line, reason("config.odd-project-choice", attribute=attribute))
        choices.append(choice)
    return tuple(choices)


def _include_vars(conf: YamlMap, place: Place, found: Findings) -> tuple[IncludeVars, ...] | None:
    """Files of variables; they keep the repository and the branch of the definition that names them."""
    listed = entries(conf, "include-vars")
    if listed is None:
        return None
    made: list[IncludeVars] = []
    for item, line in listed:
        named = text(item, "project") if isinstance(item, YamlMap) else None
        of_item = _said(item, "zuul-project")
        if named and of_item:
            found.add(line, reason("config.include-vars-of-two"))
        project = named or ("" if of_item else place.file.project)
        branch = "" if named or of_item else place.file.branch
        made.append(
            IncludeVars(
                path=_name(item, "name"),
                project=project,
                branch=branch,
                required=_said(item, "required", True),
                use_ref=_said(item, "use-ref", True),
            )
        )
    return tuple(made)


def _home_paths(conf: YamlMap, found: Findings) -> tuple[str, ...] | None:
    listed = entries(conf, "preserve-home-paths")
    if listed is None:
        return None
    paths = tuple((posixpath.normpath(str(item)), line) for item, line in listed)
    for path, line in paths:
        if path in _UNSAFE_HOME_PATHS or path.startswith(("/", "../")):
            found.add(line, reason("config.unsafe-home-path", path=path))
    return tuple(path for path, _ in paths)


def _secrets(conf: YamlMap) -> tuple[SecretUse, ...] | None:
    found = entries(conf, "secrets")
    if found is None:
        return None
    return tuple(
        SecretUse(_name(item, "name"), _name(item, "secret"), _said(item, "pass-to-parent")) for item, _ in found
    )


def _nodeset_of(conf: YamlMap, place: Place, found: Findings) -> str | Nodeset | None:
    value = conf.get("nodeset")
    if isinstance(value, YamlMap):
        return nodeset(value, text(value, "name") or "", place.at(value.line), found)
    return value if isinstance(value, str) else None
