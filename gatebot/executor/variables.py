# SPDX-License-Identifier: Apache-2.0
"""What a job is told about itself: Zuul's `zuul.*` variables, our `gatebot.*`, the environment of scripts.

Pure. Names and shapes are Zuul's, so that existing roles work unchanged; everything that Zuul has no word
for is under `gatebot`. The same values go to playbooks and scripts.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from ..assignment import AssignedChange, Assignment, Checkout, Json, Playbook, ProvidedArtifact
from .model import SRC, Places
from .paths import playbook_context

_LONGEST = 32 * 1024  # characters of a value in the environment: the kernel takes 128 KiB for one


def _project(name: str, places: Places) -> dict[str, Json]:
    return {
        "name": name,
        "short_name": name.rpartition("/")[2],
        "canonical_hostname": places.host,
        "canonical_name": f"{places.host}/{name}",
        "src_dir": places.src_dir(name),
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
        "src_dir": places.src_dir(change.project),
        "change_message": change.message,
        "message": base64.b64encode(change.message.encode()).decode(),
        "change_id": change.change_id,
    }


def _ref(change: AssignedChange) -> str:
    return f"refs/changes/{change.number % 100:02d}/{change.number}/{change.patch_set}"


def subject(assignment: Assignment) -> AssignedChange | None:
    """The change that the build is about; None: it is about a branch or a tag."""
    named = (one for one in assignment.changes if one.number == assignment.subject)
    return next(named, assignment.changes[-1] if assignment.changes else None)


def ref_of(assignment: Assignment) -> str:
    """The full name of the ref that is tested."""
    own = subject(assignment)
    if own is not None:
        return _ref(own)
    return assignment.branch if assignment.branch.startswith("refs/") else f"refs/heads/{assignment.branch}"


def _own(assignment: Assignment, places: Places) -> dict[str, Json]:
    """The part of `zuul.*` that depends on what kind of thing is tested."""
    own, ref = subject(assignment), ref_of(assignment)
    if own is None:
        found: dict[str, Json] = {"ref": ref, "change_url": None, **_moved(assignment)}
        kind, _, name = ref.removeprefix("refs/").partition("/")
        found |= {"branch": name} if kind == "heads" else {"tag": name} if kind == "tags" else {}
        about: dict[str, Json] = {
            **found,
            "project": _project(assignment.project, places),
            "src_dir": places.src_dir(assignment.project),
        }
        return {**found, "items": [about], "build_refs": [about], "buildset_refs": [about]}
    names = ("change", "patchset", "ref", "change_url", "commit_id", "topic", "change_message", "message", "branch")
    members = assignment.members or (own.number,)
    items = {change.number: _item(change, places) for change in (*assignment.changes, own)}
    refs = {number: item | _merged(assignment, item) for number, item in items.items() if number in members}
    cycle: dict[str, Json] = {"bundle_id": assignment.item} if len(refs) > 1 else {}
    return {
        **{name: items[own.number][name] for name in names},
        "items": [item | cycle if number in refs else item for number, item in items.items()],
        "build_refs": [refs.get(own.number, items[own.number])],
        "buildset_refs": list(refs.values()),
    }


def _merged(assignment: Assignment, item: Mapping[str, Json]) -> dict[str, Json]:
    """What a change is on its branch, for jobs that come after its merge."""
    return {"merge_commit_id": item["commit_id"]} if assignment.landed else {}


def _moved(assignment: Assignment) -> dict[str, Json]:
    """Where a branch or tag was and is; of a tag with a message that is the tag itself, not its commit."""
    moves = {"oldrev": assignment.old_commit, "newrev": assignment.new_commit or assignment.commit}
    there: dict[str, Json] = {name: id for name, id in moves.items() if id.strip("0")}
    return {**there, "commit_id": there.get("newrev") or there.get("oldrev") or ""}


def _artifact(one: ProvidedArtifact) -> dict[str, Json]:
    found: dict[str, Json] = {"name": one.name, "url": one.url, "project": one.project, "job": one.job}
    if one.change is not None:
        found |= {"change": str(one.change), "patchset": str(one.patch_set)}
    if one.branch:
        found["branch"] = one.branch
    if one.metadata:
        found["metadata"] = one.metadata
    return found


def _why(assignment: Assignment, checkout: Checkout) -> str:
    """Why this branch or tag of a repository is checked out."""
    if checkout.branch == assignment.branch and checkout.project == assignment.project and not assignment.changes:
        return "tag ref" if checkout.branch.startswith("refs/tags/") else "branch ref"
    if checkout.branch == assignment.branch:
        return "zuul branch"
    job = assignment.job
    if checkout.branch.removeprefix("refs/tags/") == job.override_checkout.removeprefix("refs/tags/") != "":
        return "job override ref"
    chosen = any(one.project == checkout.project and one.override_checkout for one in job.required_projects)
    return "project override ref" if chosen else "project default branch"


def zuul(assignment: Assignment, places: Places) -> dict[str, Json]:
    """The value of the variable `zuul`."""
    job = assignment.job
    projects: dict[str, Json] = {}
    required = {one.project for one in job.required_projects}
    for checkout in assignment.checkouts:
        name = f"{places.host}/{checkout.project}"
        if checkout.required and name not in projects:  # others of the same project are not checked out
            projects[name] = _project(checkout.project, places) | {
                "required": checkout.project in required,
                "checkout": checkout.branch.removeprefix("refs/tags/"),
                "checkout_description": _why(assignment, checkout),
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
        "jobtags": list[Json](sorted(job.tags)),
        "voting": job.voting,
        "timeout": job.timeout,
        "pre_timeout": job.pre_timeout,
        "post_timeout": job.post_timeout,
        "attempts": assignment.attempt,
        "max_attempts": job.attempts,
        "ansible_version": job.ansible_version,
        "image_build_name": job.image_build_name or None,
        "workspace_checkout": "auto" if job.workspace_checkout is None else job.workspace_checkout,
        "deduplicate": "auto" if job.deduplicate is None else job.deduplicate,
        "project": _project(assignment.project, places),
        "projects": projects,
        "child_jobs": list[Json](assignment.child_jobs),
        "artifacts": [_artifact(one) for one in assignment.provided],
        "resources": {},
        "playbook_context": playbook_context(assignment, places),
        "_inheritance_path": list[Json](job.parents),
        "executor": {
            "hostname": places.host,
            "src_root": f"{places.home}/{SRC}",
            "log_root": places.logs,
            "work_root": places.home,
            "result_data_file": places.result,
            "inventory_file": places.inventory,
        },
    }
    if job.override_checkout:
        known["override_checkout"] = job.override_checkout
    return _own(assignment, places) | known


def person(places: Places) -> dict[str, str]:
    """Who a job is on a node."""
    return {
        "HOME": places.home,
        "USER": places.user,
        "LOGNAME": places.user,
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin",
        "LANG": "C.UTF-8",
        "TERM": "dumb",
    }


def environment(assignment: Assignment, places: Places) -> dict[str, str]:
    """The environment of a job's processes.

    What jobs before it returned, and its own variables, are `GATEBOT_VAR_NAME` where they are plain values.
    """
    found = person(places) | {
        "CI": "true",
        "PYTHONUNBUFFERED": "1",
        "WORKSPACE": places.workspace,
        "GATEBOT_BUILD": assignment.build,
        "GATEBOT_VARIABLES": places.variables,
        "GATEBOT_ARTIFACTS": places.artifacts,
        "GATEBOT_RESULT": places.result,
        "GATEBOT_SECRET_RESULT": places.secret_result,
        "ZUUL_UUID": assignment.build,
        "ZUUL_PIPELINE": assignment.pipeline,
        "ZUUL_PROJECT": assignment.project,
        "ZUUL_COMMIT": assignment.commit,
    }
    ref = found["ZUUL_REF"] = ref_of(assignment)
    tag = ref.removeprefix("refs/tags/")
    found |= {"ZUUL_BRANCH": assignment.branch} if tag == ref else {"ZUUL_TAG": tag}
    own = subject(assignment)
    if own is not None:
        found |= {"ZUUL_CHANGE": str(own.number), "ZUUL_PATCHSET": str(own.patch_set)}
    if assignment.artifact_pass:
        found["GATEBOT_ARTIFACT_PASS"] = assignment.artifact_pass
    for name, value in {**assignment.inherited, **assignment.job.vars, **assignment.job.extra_vars}.items():
        if isinstance(value, (str, int, float)) and name.isidentifier() and _fits(told := str(value)):
            found[f"GATEBOT_VAR_{name.upper()}"] = told
    return found


def _fits(value: str) -> bool:
    """Whether a program can be given a text in its environment."""
    return "\0" not in value and len(value) <= _LONGEST


def secrets_for(assignment: Assignment, playbook: Playbook) -> dict[str, Json]:
    """The secrets that a playbook may see, by the names of its variables: those that it lists, and no others.

    What jobs before this one returned as secret is for all its playbooks.
    """
    listed = {ref.name: assignment.secrets[ref.secret] for ref in playbook.secrets if ref.secret in assignment.secrets}
    return {**assignment.secret_data, **listed}
