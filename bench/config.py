# SPDX-License-Identifier: Apache-2.0
"""How long configuration takes: reading it from git, reading it again, a change's private layout, one job graph.

The tenants are OpenStack's (the part that the tests ship) and generated ones of 100 and 500
projects with four jobs each, as in the peer's measurement. The peer is Zuul 14.3, measured once on a machine of this
kind with the same content: the first load of the OpenStack tenant on the clock, all else CPU; it is not run here.
Usage: `python -m bench.config [--tenant-config FILE --repos DIR]`, to read another copy of OpenStack's configuration.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from gatebot.pipeline.config.freeze import freeze
from gatebot.pipeline.config.layout import Layout
from gatebot.pipeline.config.loader import Loader, Proposed
from gatebot.pipeline.config.parse_tenants import parse_tenants
from gatebot.pipeline.config.tenant import Tenant, simple
from gatebot.repo import Repositories

DATA = Path(__file__).parent.parent / "tests" / "data" / "openstack"
HOST = "review.example.com"  # that the names of projects begin with in the data
PIPELINES = """
- pipeline: {name: check, manager: independent, trigger: {gerrit: [{event: patchset-created}]}}
- pipeline: {name: gate, manager: dependent, trigger: {gerrit: [{event: comment-added}]}}
- job: {name: base, parent: null, run: base.yaml}
"""
ROUNDS = 9
NOVA = ["nova/compute/manager.py"]


def figure(name: str, value: float, goal: float, *, n: int, peer: float | None = None) -> None:
    """One line of JSON."""
    line = {"figure": f"config.{name}", "value": round(value, 4), "unit": "CPU s", "n": n, "goal": goal}
    print(json.dumps(line | ({"peer": peer, "ratio": round(value / peer, 4)} if peer else {})), flush=True)


def timed(act: Callable[[], object]) -> float:
    """CPU seconds of this process and its children."""
    began = time.process_time()
    act()
    return time.process_time() - began


class Ground:
    """Bare repositories to read configuration from."""

    def __init__(self, root: Path) -> None:
        self.repositories = Repositories(root)

    def commit(self, project: str, files: Mapping[str, str], branch: str = "master") -> str:
        """The commit that has exactly these files, at the tip of the branch."""
        if not self.repositories.exists(project):
            self.repositories.create(project, branch)
        told = [f"commit refs/heads/{branch}\ncommitter bench <bench> {int(time.time())} +0000\ndata 0\ndeleteall\n"]
        for path, text in files.items():
            told.append(f"M 100644 inline {path}\ndata {len(text.encode())}\n{text}\n")
        where = str(self.repositories.path(project))
        subprocess.run(
            ["git", "-C", where, "fast-import", "--quiet", "--force"], input="".join(told).encode(), check=True
        )
        found = self.repositories.resolve(project, f"refs/heads/{branch}")
        assert found is not None
        return found


def generated(number: int, extra: str = "") -> str:
    """The configuration of one project: four jobs, in check and gate."""
    jobs = [f"project{number}-job{job}" for job in range(4)]
    stanzas = "".join(f"- job: {{name: {name}, run: run.yaml, vars: {{port: {number}}}}}\n" for name in jobs)
    listed = ", ".join(jobs)
    return f"{stanzas}- project: {{check: {{jobs: [{listed}]}}, gate: {{jobs: [{listed}]}}}}\n{extra}"


def measure_generated(root: Path, count: int, goal: float, peer: float) -> None:
    """A full reload, and, for the large tenant, the private layout of a change."""
    ground = Ground(root)
    ground.commit("config", {"zuul.yaml": PIPELINES})
    names = [f"project{number}" for number in range(count)]
    for number, name in enumerate(names):
        ground.commit(name, {".zuul.yaml": generated(number)})
    tenant = simple("main", ("config",), tuple(names))
    figure(f"full-reload.{count}", timed(lambda: Loader(ground.repositories).load(tenant)), goal, n=count, peer=peer)
    loader = Loader(ground.repositories)
    base = loader.load(tenant)
    taken: list[float] = []
    for number in range(ROUNDS):
        project = names[number * (count // ROUNDS)]
        text = generated(number * (count // ROUNDS), f"- job: {{name: new{number}, run: new.yaml}}\n")
        change = Proposed(project, "master", project, ground.commit(project, {".zuul.yaml": text}))
        taken.append(timed(lambda change=change: loader.propose(base, [change])))
    figure(f"private-layout.{count}", statistics.median(taken), 0.02, n=count, peer=0.163 if count == 500 else None)


def openstack(tenant_file: Path, repos: Path) -> tuple[Tenant, dict[str, dict[str, str]]]:
    """The tenant, and the files of each project that has any."""
    tenants, errors = parse_tenants(tenant_file.read_bytes(), tenant_file.name)
    assert not errors
    files: dict[str, dict[str, str]] = {project.name: {} for project in tenants[0].projects}
    for name, found in files.items():
        for path in sorted((repos / name).rglob("*.yaml")):
            found[str(path.relative_to(repos / name))] = path.read_text()
    return replace(tenants[0], hosts=(HOST,)), files


def measure_openstack(root: Path, tenant: Tenant, files: Mapping[str, Mapping[str, str]]) -> None:
    """First load, load after one project's change, one graph."""
    ground = Ground(root)
    for name, found in files.items():
        ground.commit(name, found or {"README": "nothing\n"})
    loader = Loader(ground.repositories)
    count = len(tenant.projects)
    figure("openstack.first-load", timed(lambda: loader.load(tenant)), 2.5, n=count, peer=41.9)
    taken: list[float] = []
    nova = files["openstack/nova"]
    for number in range(ROUNDS):
        path = next(iter(nova))
        ground.commit("openstack/nova", {**nova, path: nova[path] + f"\n- job: {{name: bench{number}}}\n"})
        taken.append(timed(lambda: loader.load(tenant, {"openstack/nova"})))
    figure("openstack.one-change", statistics.median(taken), 0.06, n=count, peer=0.9)
    measure_graph(lambda: Loader(ground.repositories).load(tenant), "first", 5)
    measure_graph(lambda: loader.load(tenant), "new-layout", ROUNDS)
    layout = loader.load(tenant)
    measure_graph(lambda: layout, "again", ROUNDS)


def measure_graph(layout: Callable[[], Layout], name: str, rounds: int) -> None:
    """One graph of nova: of a layout with nothing before it, of one that follows another, and once more."""
    taken: list[float] = []
    for _ in range(rounds):
        made = layout()
        gc.collect()  # what loading left behind is not the graph's
        taken.append(timed(lambda made=made: freeze(made, "check", "openstack/nova", "master", files=NOVA)))
    figure(f"openstack.freeze.{name}", statistics.median(taken), 0.005, n=rounds, peer=0.035)


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tenant-config", type=Path, default=DATA / "tenant.yaml")
    parser.add_argument("--repos", type=Path, default=DATA / "repos")
    given = parser.parse_args()
    tenant, files = openstack(given.tenant_config, given.repos)
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        measure_openstack(root / "openstack", tenant, files)
        measure_generated(root / "hundred", 100, 0.5, 8.0)
        measure_generated(root / "five-hundred", 500, 2.0, 44.3)


if __name__ == "__main__":
    main()
