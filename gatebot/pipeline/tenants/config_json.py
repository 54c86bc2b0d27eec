# SPDX-License-Identifier: Apache-2.0
"""Jobs, projects and frozen jobs in the form of Zuul's REST.

Pure: objects of a layout in, values for JSON out. A frozen job is shown without the data of its secrets, encrypted as
they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...assignment import FrozenJob, Json, NodeGroup, NodeSpec, Playbook
from ..accepting.model import key_of
from ..config.layout import Layout
from ..config.model import ConfigError, FrozenGraph, Location, Pattern
from ..config.objects import Nodeset, PlaybookRef, ProjectConfig, Variant
from ..config.tenant import TenantProject

CONNECTION = "gatebot"


def jobs(layout: Layout) -> list[dict[str, object]]:
    """Every job by name, with its parents and branches."""
    return [_job(layout, name, layout.jobs[name]) for name in sorted(layout.jobs)]


def _job(layout: Layout, name: str, variants: Iterable[Variant]) -> dict[str, object]:
    known = list(variants)
    told: dict[str, object] = {"name": name}
    if described := next((one.description for one in known if one.description), ""):
        told["description"] = described.split("\n")[0]
    told["variants"] = [
        {key: value for key, value in (("parent", parent(layout, one)), ("branches", branches(layout, one))) if value}
        for one in known
    ]
    if tags := sorted({tag for one in known for tag in one.tags or ()}):
        told["tags"] = tags
    return told


def parent(layout: Layout, job: Variant) -> str | None:
    """What a definition inherits from."""
    return None if job.base else job.parent or layout.tenant.default_parent


def branches(layout: Layout, job: Variant) -> list[str]:
    """The branches that a definition is for; empty: all."""
    return _patterns(layout.matchers(job))


def variant(layout: Layout, job: Variant) -> dict[str, object]:
    """One definition of a job; what it does not say is None."""
    named = layout.nodesets.get(job.nodeset) if isinstance(job.nodeset, str) else job.nodeset
    return {
        "name": job.name,
        "parent": parent(layout, job),
        "branches": branches(layout, job),
        "source_context": context(job.at),
        "description": job.description,
        "override_checkout": job.override_checkout,
        "files": _patterns(job.files),
        "irrelevant_files": _patterns(job.irrelevant_files),
        "required_projects": [
            {"project_name": one.project, "override_checkout": one.override_checkout or None}
            for one in job.required_projects or ()
        ],
        "semaphores": [{"name": one.name, "resources_first": one.resources_first} for one in job.semaphores or ()],
        "variables": dict(job.vars or {}),
        "final": bool(job.final),
        "abstract": bool(job.abstract),
        "intermediate": bool(job.intermediate),
        "protected": job.protected,
        "voting": job.voting is not False,
        "pre_timeout": job.pre_timeout,
        "timeout": job.timeout,
        "post_timeout": job.post_timeout,
        "tags": list(job.tags or ()),
        "dependencies": [{"name": one.name, "soft": one.soft} for one in job.dependencies or ()],
        "attempts": job.attempts,
        "run": _books(job.run),
        "pre_run": _books(job.pre_run),
        "post_run": _books(job.post_run),
        "cleanup_run": _books(job.cleanup_run),
        "post_review": job.post_review,
        "match_on_config_updates": job.match_on_config_updates is not False,
        "failure_output": list(job.failure_output or ()),
        "nodeset": _nodeset(named) if named is not None else None,
        "ansible_version": job.ansible_version or None,
    }


def project(layout: Layout, known: TenantProject, stanzas: Iterable[ProjectConfig]) -> dict[str, object]:
    """A project with its stanzas."""
    queue, _ = layout.queue(known.name, layout.default_branch(known.name) or "")
    return {
        **listed(known),
        "configs": [
            {
                "source_context": context(one.at),
                "is_template": False,
                "templates": list(one.templates),
                "default_branch": one.default_branch,
                "queue_name": one.queue,
                "merge_mode": one.merge_mode,
                "variables": dict(one.vars),
                "pipelines": [
                    {"name": name, "jobs": [[variant(layout, job)] for job in one.pipelines[name].jobs]}
                    for name in sorted(one.pipelines)
                ],
            }
            for one in stanzas
        ],
        "metadata": {
            "merge_mode": layout.merge_mode(known.name),
            "default_branch": layout.default_branch(known.name),
            "queue_name": queue.name,
        },
    }


def listed(known: TenantProject) -> dict[str, object]:
    """A project in a list."""
    return {
        "name": known.name,
        "connection_name": CONNECTION,
        "canonical_name": known.name,
        "type": "config" if known.trusted else "untrusted",
    }


def graph(frozen: FrozenGraph) -> list[dict[str, object]]:
    """What a graph runs, as Zuul lists it."""
    return [{"name": job.name, "dependencies": dependencies(job)} for job in frozen.jobs]


def dependencies(job: FrozenJob) -> list[dict[str, object]]:
    """What a frozen job waits for."""
    return [{"name": one.name, "soft": one.soft} for one in job.dependencies]


def frozen_job(job: FrozenJob, tenant: str, pipeline: str, project: str, branch: str) -> dict[str, object]:
    """A frozen job in full."""
    return {
        "job": job.name,
        "branch": branch,
        "zuul": {
            "tenant": tenant,
            "pipeline": pipeline,
            "project": {"name": project},
            "branch": branch,
            "buildset": None,
            "voting": job.voting,
            "job": job.name,
        },
        "projects": [
            {"name": one.project, "override_checkout": one.override_checkout} for one in job.required_projects
        ],
        "dependencies": dependencies(job),
        "voting": job.voting,
        "attempts": job.attempts,
        "parents": list(job.parents),
        "pre_timeout": job.pre_timeout,
        "timeout": job.timeout,
        "post_timeout": job.post_timeout,
        "override_checkout": job.override_checkout or None,
        "ansible_version": job.ansible_version or None,
        "workspace_scheme": job.workspace_scheme,
        "playbooks": _frozen(job.run),
        "pre_playbooks": _frozen(job.pre_run),
        "post_playbooks": _frozen(job.post_run),
        "cleanup_playbooks": _frozen(job.cleanup_run),
        "nodeset": {"name": job.nodeset, **_nodes(job.nodes, job.groups)},
        "vars": dict(job.vars),
        "extra_vars": dict(job.extra_vars),
        "host_vars": dict(job.host_vars),
        "group_vars": dict(job.group_vars),
        "failure_output": list(job.failure_output),
        "semaphores": list(job.semaphores),
    }


def error(found: ConfigError, sentence: str) -> dict[str, object]:
    """An error of a configuration."""
    where = f"{found.at.project} {found.at.branch} {found.at.path}:{found.at.line}"
    shown = "\n".join(f"{number:5} {text}" for number, text in found.snippet)
    return {
        "source_context": context(found.at),
        "error": "\n".join(part for part in (f"{where} {found.stanza}".strip(), shown, sentence) if part),
        "short_error": sentence,
        "severity": "error",
        "name": found.reason.kind,
        "id": key_of(found),
        "line": found.at.line,
        "object": found.stanza,
    }


def context(at: Location) -> dict[str, object]:
    """Where something stands."""
    return {"project": at.project, "branch": at.branch, "path": at.path, "line": at.line}


def _patterns(patterns: Iterable[Pattern] | None) -> list[str]:
    return [f"not {one.regex}" if one.negate else one.regex for one in patterns or ()]


def _books(books: Iterable[PlaybookRef] | None) -> list[dict[str, object]]:
    return [{"path": book.path} for book in books or ()]


def _frozen(books: Iterable[Playbook]) -> list[dict[str, object]]:
    return [
        {
            "connection": CONNECTION,
            "project": book.project,
            "branch": book.branch,
            "path": book.path,
            "trusted": book.trusted,
            "secrets": {ref.name: {"secret": ref.secret, "project": ref.project} for ref in book.secrets},
            "semaphores": list(book.semaphores),
        }
        for book in books
    ]


def _nodeset(nodeset: Nodeset) -> dict[str, object]:
    return {"name": nodeset.name, **_nodes(nodeset.nodes, nodeset.groups)}


def _nodes(nodes: Iterable[NodeSpec], groups: Iterable[NodeGroup]) -> Mapping[str, Json]:
    return {
        "nodes": [{"name": list(node.names), "label": node.label} for node in nodes],
        "groups": [{"name": group.name, "nodes": list(group.nodes)} for group in groups],
    }
