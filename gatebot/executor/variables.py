# SPDX-License-Identifier: Apache-2.0
"""What a job is told about itself: Zuul's `zuul.*` variables, our `gatebot.*`, the environment of scripts.

Pure. Names and shapes are Zuul's, so that existing roles work unchanged; everything that Zuul has no word
for is under `gatebot`. The same values go to playbooks (inventory) and scripts (a JSON file).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from ..assignment import AssignedChange, Assignment, Checkout, Json, Playbook
from .model import SRC, Places


def playbook_checkouts(assignment: Assignment) -> tuple[Checkout, ...]:
    """What is prepared read-only: repositories for playbooks and roles only, and those of trusted playbooks."""
    job = assignment.job
    playbooks = (*job.pre_run, *job.run, *job.post_run, *job.cleanup_run)
    apart = [one for one in assignment.checkouts if not one.required]
    trusted = {one.project for one in (*playbooks, *job.roles) if one.trusted} - {one.project for one in apart}
    return (*apart, *(one for one in assignment.checkouts if one.required and one.project in trusted))


def path_of(assignment: Assignment, playbook: Playbook, places: Places) -> str | None:
    """The path of a playbook as the job sees it; None: its repository is not in the workspace.

    A trusted playbook never comes from a tree that earlier steps can write to.
    """
    apart = [(one, places.playbooks(one)) for one in playbook_checkouts(assignment)]
    required = [(one, places.source(one.project)) for one in assignment.checkouts if one.required]
    fitting = [
        pair for pair in (apart if playbook.trusted else apart + required) if pair[0].project == playbook.project
    ]
    fitting.sort(key=lambda pair: (pair[0].branch != playbook.branch, not pair[0].required))
    return f"{fitting[0][1]}/{playbook.path}" if fitting else None


def role_paths(assignment: Assignment, playbook: Playbook, places: Places) -> tuple[str, ...]:
    """The directories in which a playbook finds roles: beside it, its repository's, and those of the job's `roles`."""
    trees: list[str] = []
    for project in (playbook.project, *(role.project for role in assignment.job.roles)):
        found = path_of(assignment, Playbook(project, playbook.branch, "roles", trusted=playbook.trusted), places)
        if found is not None and found not in trees:
            trees.append(found)
    return tuple(trees)


def _project(name: str, places: Places) -> dict[str, Json]:
    return {
        "name": name,
        "short_name": name.rpartition("/")[2],
        "canonical_hostname": places.host,
        "canonical_name": f"{places.host}/{name}",
        "src_dir": f"{SRC}/{places.host}/{name}",
    }


def _item(change: AssignedChange, places: Places) -> dict[str, Json]:
    return {
        "project": _project(change.project, places),
        "branch": change.branch,
        "change": str(change.number),
        "patchset": str(change.patch_set),
        "ref": _ref(change),
        "change_url": change.url,
        "commit_id": change.commit,
        "topic": change.topic or None,
        "change_message": change.message,
        "message": base64.b64encode(change.message.encode()).decode(),
        "change_id": change.change_id,
    }


def _ref(change: AssignedChange) -> str:
    return f"refs/changes/{change.number % 100:02d}/{change.number}/{change.patch_set}"


def _own(assignment: Assignment, places: Places) -> dict[str, Json]:
    """The part of `zuul.*` that depends on what kind of thing is tested."""
    if not assignment.changes:
        ref: dict[str, Json] = {"ref": f"refs/heads/{assignment.branch}", "newrev": assignment.commit}
        if assignment.old_commit:
            ref["oldrev"] = assignment.old_commit
        return {**ref, "commit_id": assignment.commit, "items": []}
    item = _item(assignment.changes[-1], places)
    names = ("change", "patchset", "ref", "change_url", "commit_id", "topic", "change_message", "message")
    items: list[Json] = [_item(one, places) for one in assignment.changes]
    return {**{name: item[name] for name in names}, "items": items}


def zuul(assignment: Assignment, places: Places) -> dict[str, Json]:
    """The value of the variable `zuul`."""
    job = assignment.job
    projects: dict[str, Json] = {}
    for checkout in assignment.checkouts:
        if checkout.required:
            projects[f"{places.host}/{checkout.project}"] = _project(checkout.project, places) | {
                "required": any(one.project == checkout.project for one in job.required_projects),
                "checkout": checkout.branch,
                "checkout_description": "zuul branch",
                "commit": checkout.commit,
            }
    known: dict[str, Json] = {
        "build": assignment.build,
        "buildset": assignment.buildset,
        "event_id": assignment.event_id,
        "tenant": assignment.tenant,
        "pipeline": assignment.pipeline,
        "post_review": assignment.post_review,
        "job": job.name,
        "jobtags": [],
        "voting": job.voting,
        "timeout": job.timeout,
        "pre_timeout": job.pre_timeout,
        "post_timeout": job.post_timeout,
        "attempts": assignment.attempt,
        "max_attempts": job.attempts,
        "ansible_version": job.ansible_version,
        "branch": assignment.branch,
        "project": _project(assignment.project, places),
        "projects": projects,
        "child_jobs": [],
        "artifacts": [],
        "resources": {},
        "_inheritance_path": list(job.parents),
        "executor": {
            "hostname": places.host,
            "src_root": f"{places.home}/{SRC}",
            "log_root": places.artifacts,
            "work_root": places.home,
            "result_data_file": places.result,
            "inventory_file": f"{places.play}/inventory.json",
        },
    }
    return _own(assignment, places) | known


def variables(assignment: Assignment, places: Places, node: str) -> dict[str, Json]:
    """All variables of a job but its secrets: returned by jobs before it, its own, and ours, which win."""
    return {
        **assignment.inherited,
        **assignment.job.vars,
        "zuul": zuul(assignment, places),
        "gatebot": {
            "build": assignment.build,
            "item": assignment.item,
            "node": node,
            "home": places.home,
            "artifacts": places.artifacts,
            "result": places.result,
        },
    }


def inventory(assignment: Assignment, values: Mapping[str, Json], python: str) -> dict[str, Json]:
    """An Ansible inventory: every node of the nodeset is the sandbox that the playbook runs in."""
    names = [name for node in assignment.job.nodes for name in node.names] or ["localhost"]
    local: dict[str, Json] = {"ansible_connection": "local", "ansible_python_interpreter": python}
    groups: dict[str, Json] = {
        group.name: {"hosts": {name: {} for name in group.nodes if name in names}} for group in assignment.job.groups
    }
    return {"all": {"hosts": dict.fromkeys(names, local), "children": groups, "vars": dict(values)}}


def environment(assignment: Assignment, places: Places) -> dict[str, str]:
    """The environment of a job's processes; job variables that are plain values are `GATEBOT_VAR_NAME`."""
    found = {
        "HOME": places.home,
        "USER": "job",
        "LOGNAME": "job",
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin",
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "CI": "true",
        "PYTHONUNBUFFERED": "1",
        "WORKSPACE": f"{places.home}/{SRC}/{places.host}",
        "GATEBOT_BUILD": assignment.build,
        "GATEBOT_VARIABLES": places.variables,
        "GATEBOT_ARTIFACTS": places.artifacts,
        "GATEBOT_RESULT": places.result,
        "ZUUL_UUID": assignment.build,
        "ZUUL_PIPELINE": assignment.pipeline,
        "ZUUL_PROJECT": assignment.project,
        "ZUUL_BRANCH": assignment.branch,
        "ZUUL_COMMIT": assignment.commit,
    }
    if assignment.changes:
        own = assignment.changes[-1]
        found |= {"ZUUL_CHANGE": str(own.number), "ZUUL_PATCHSET": str(own.patch_set), "ZUUL_REF": _ref(own)}
    for name, value in assignment.job.vars.items():
        if isinstance(value, (str, int, float)) and name.isidentifier():
            found[f"GATEBOT_VAR_{name.upper()}"] = str(value)
    return found


def secrets_for(assignment: Assignment, playbook: Playbook) -> Mapping[str, Json]:
    """The secrets that a playbook may see, by the names of its variables: those that it lists, and no others."""
    return {ref.name: assignment.secrets[ref.secret] for ref in playbook.secrets if ref.secret in assignment.secrets}
