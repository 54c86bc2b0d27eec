# SPDX-License-Identifier: Apache-2.0
"""A frozen graph in words and as JSON: what each job is, why it runs or does not, and what is wrong.

Pure; sentences are made by the function that is given, in the reader's language.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...assignment import FrozenJob, NodeGroup, NodeSpec, Playbook
from ...reasons import Reason
from .check import told
from .model import ConfigError, FrozenGraph

Say = Callable[[Reason], str]


def graph_json(graph: FrozenGraph, say: Say) -> dict[str, object]:
    """`jobs` in order, `skipped` with why, `errors`; with errors, an item of this graph would not pass."""
    return {
        "configured": graph.configured,
        "jobs": [{**job_json(job), "why": say(graph.why[job.name])} for job in graph.jobs],
        "skipped": [{"name": one.job, "why": say(one.reason)} for one in graph.skipped],
        "errors": [error_json(error, say) for error in graph.errors],
    }


def job_json(job: FrozenJob) -> dict[str, object]:
    """A frozen job, as far as its configuration is of interest to people."""
    return {
        "name": job.name,
        "voting": job.voting,
        "dependencies": [{"name": one.name, "soft": one.soft} for one in job.dependencies],
        "nodeset": {
            **_nodes(job.nodeset, job.nodes, job.groups),
            "alternatives": [_nodes(one.name, one.nodes, one.groups) for one in job.alternatives],
        },
        "timeout": job.timeout,
        "pre_timeout": job.pre_timeout,
        "post_timeout": job.post_timeout,
        "attempts": job.attempts,
        "parents": list(job.parents),
        "playbooks": {
            "pre_run": _books(job.pre_run),
            "run": _books(job.run),
            "post_run": _books(job.post_run),
            "cleanup_run": _books(job.cleanup_run),
        },
        "required_projects": [
            {"name": one.project, "override_checkout": one.override_checkout or None} for one in job.required_projects
        ],
        "semaphores": list(job.semaphores),
        "variables": dict(job.vars),
        "post_review": job.post_review,
    }


def error_json(error: ConfigError, say: Say) -> dict[str, object]:
    """An error with its place."""
    at = error.at
    return {
        "kind": error.reason.kind,
        "project": at.project,
        "branch": at.branch,
        "path": at.path,
        "line": at.line,
        "object": error.stanza,
        "error": say(error.reason),
    }


def graph_lines(graph: FrozenGraph, say: Say) -> list[str]:
    """The same for people: the jobs in order, each with why, then the others, then the errors with their lines."""
    if not graph.configured:
        return ["The project has no jobs in this pipeline on this branch."]
    lines = [f"{_count(len(graph.jobs), 'job')} would run:" if graph.jobs else "No job would run."]
    for job in graph.jobs:
        lines += [f"  {job.name}{'' if job.voting else ' (non-voting)'}", f"    why: {say(graph.why[job.name])}"]
        lines += [f"    {name}: {said}" for name, said in _said(job) if said]
    if graph.skipped:
        lines += ["", f"{_count(len(graph.skipped), 'job')} would not:"]
        lines += [f"  {one.job}: {say(one.reason)}" for one in graph.skipped]
    if graph.errors:
        lines += ["", f"{_count(len(graph.errors), 'error')}; a change would not pass:", "", told(graph.errors, say)]
    return lines


def _said(job: FrozenJob) -> list[tuple[str, str]]:
    needs = (f"{one.name} (soft)" if one.soft else one.name for one in job.dependencies)
    books = (f"{book.project}:{book.path}" for book in (*job.pre_run, *job.run, *job.post_run, *job.cleanup_run))
    return [
        ("after", ", ".join(needs)),
        ("nodeset", job.nodeset),
        ("nodes", ", ".join(f"{' '.join(node.names)} ({node.label})" for node in job.nodes)),
        ("timeout", f"{job.timeout} s" if job.timeout else ""),
        ("parents", " < ".join(job.parents)),
        ("playbooks", ", ".join(books)),
        ("projects", ", ".join(one.project for one in job.required_projects)),
    ]


def _nodes(name: str, nodes: Sequence[NodeSpec], groups: Sequence[NodeGroup]) -> dict[str, object]:
    return {
        "name": name or None,
        "nodes": [{"name": list(node.names), "label": node.label} for node in nodes],
        "groups": [{"name": group.name, "nodes": list(group.nodes)} for group in groups],
    }


def _books(books: Sequence[Playbook]) -> list[dict[str, object]]:
    return [
        {
            "project": book.project,
            "branch": book.branch,
            "path": book.path,
            "trusted": book.trusted,
            "secrets": [secret.name for secret in book.secrets],
        }
        for book in books
    ]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
