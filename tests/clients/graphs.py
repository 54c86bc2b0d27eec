# SPDX-License-Identifier: Apache-2.0
"""Compares the graphs of OpenStack's configuration with those of Zuul: kept answers, or Zuul itself.

    python -m tests.clients.graphs PYTHON [--keep]

asks Zuul by `zuul_graphs.py` with a Python that has it, and prints what differs; `--keep` renews the kept answers.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

from gatebot.assignment import FrozenJob
from gatebot.pipeline.config.freeze import freeze
from gatebot.pipeline.config.layout import Layout
from gatebot.pipeline.config.offline import layout_of, tenant_of

DATA = Path(__file__).parent.parent / "data" / "openstack"
KEPT = DATA / "zuul-graphs.json"
FILES = {
    "code": ("src/code.py",),
    "docs": ("doc/source/index.rst",),
    "readme": ("README.rst",),
    "zuul": (".zuul.yaml",),
    "releasenotes": ("releasenotes/notes/x.yaml",),
    "requirements": ("requirements.txt",),
    "tests": ("x/tests/unit/test_x.py", "tox.ini"),
}
BRANCH = "stable/2025.1"
_BOOKS = ("pre_run", "run", "post_run", "cleanup_run")


@cache
def layout() -> Layout:
    return layout_of(tenant_of(DATA / "tenant.yaml"), DATA / "repos")


def cases() -> list[tuple[str, str, str, str]]:
    """Project, pipeline, branch, and the name of a set of files."""
    found = []
    for project in layout().projects:
        for pipeline in layout().pipelines:
            sets = FILES if pipeline in ("check", "gate") else ("code", "docs")
            found += [(project, pipeline, "master", files) for files in sets]
            found.append((project, pipeline, BRANCH, "code"))
    return found


def ours(case: tuple[str, str, str, str]) -> list[dict[str, object]] | None:
    """The jobs of our graph; None: the project has nothing in the pipeline."""
    project, pipeline, branch, files = case
    graph = freeze(layout(), pipeline, project, branch, files=FILES[files])
    assert not graph.errors, (case, graph.errors)
    return [shown(job) for job in graph.jobs] if graph.configured else None


def shown(job: FrozenJob) -> dict[str, object]:
    """What is compared of a job, in the form of `zuul_graphs.py`."""
    return {
        "name": job.name,
        "voting": job.voting,
        "dependencies": sorted([one.name, one.soft] for one in job.dependencies),
        "nodeset": [[list(node.names), node.label] for node in job.nodes],
        "groups": [[group.name, list(group.nodes)] for group in job.groups],
        "nodeset_names": [one.name for one in job.alternatives] or [job.nodeset],
        "timeout": job.timeout,
        "pre_timeout": job.pre_timeout,
        "post_timeout": job.post_timeout,
        "attempts": job.attempts,
        "parents": list(job.parents),
        "required_projects": sorted([one.project, one.override_checkout] for one in job.required_projects),
        "playbooks": [
            [kind, book.project, book.path, sorted(secret.name for secret in book.secrets)]
            for kind in _BOOKS
            for book in getattr(job, kind)
        ],
        "variables": [job.vars, job.extra_vars, job.host_vars, job.group_vars],
        "semaphores": sorted(job.semaphores),
        "tags": sorted(job.tags),
        "provides": sorted(job.provides),
        "requires": sorted(job.requires),
        "hold_following": job.hold_following,
        "deduplicate": "auto" if job.deduplicate is None else job.deduplicate,
    }


def digested(job: dict[str, object]) -> str:
    digest = hashlib.sha256(json.dumps(job, sort_keys=True).encode()).hexdigest()
    return f"{job['name']} {digest[:16]}"


def kept() -> dict[tuple[str, ...], list[str]]:
    """The graphs that Zuul froze: by case, the digests of the jobs in order."""
    data = json.loads(KEPT.read_text())
    return {tuple(key.split(" ")): [data["jobs"][job] for job in jobs] for key, jobs in data["graphs"].items()}


def asked(python: str) -> dict[tuple[str, ...], list[dict[str, object]]]:
    """The graphs as Zuul freezes them now."""
    known = cases()
    question = {"cases": [[project, pipeline, branch, FILES[files]] for project, pipeline, branch, files in known]}
    script = Path(__file__).with_name("zuul_graphs.py")
    ran = subprocess.run(
        [python, script, DATA / "tenant.yaml", DATA / "repos"],
        input=json.dumps(question),
        text=True,
        capture_output=True,
        check=True,
    )
    answers = json.loads(ran.stdout)["answers"]
    found = {}
    for case in known:
        answer = answers[json.dumps([*case[:3], FILES[case[3]]])]
        assert "error" not in answer, (case, answer)
        if "jobs" in answer:
            found[case] = answer["jobs"]
    return found


def keep(graphs: dict[tuple[str, ...], list[dict[str, object]]]) -> None:
    jobs: dict[str, int] = {}
    numbered = {
        " ".join(case): [jobs.setdefault(digested(job), len(jobs)) for job in graph] for case, graph in graphs.items()
    }
    lines = ",\n".join(f"{json.dumps(case)}: {json.dumps(found)}" for case, found in numbered.items())
    names = ",\n".join(map(json.dumps, jobs))
    KEPT.write_text(f'{{"jobs": [\n{names}\n],\n"graphs": {{\n{lines}\n}}}}\n')


def main() -> int:
    graphs = asked(sys.argv[1])
    different = 0
    for case in cases():
        mine, theirs = ours(case), graphs.get(case)
        if mine == theirs:
            continue
        different += 1
        print(*case)
        names = [[job["name"] for job in found or ()] for found in (mine, theirs)]
        if names[0] != names[1]:
            print("  ours:", *names[0], "\n  Zuul:", *names[1])
            continue
        for one, other in zip(mine or (), theirs or (), strict=True):
            for key in one:
                if one[key] != other[key]:
                    print(f"  {one['name']}.{key}: {one[key]}; Zuul: {other[key]}")
    print(f"{len(graphs)} graphs of {sum(map(len, graphs.values()))} jobs compared, {different} differ")
    if "--keep" in sys.argv:
        keep(graphs)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
