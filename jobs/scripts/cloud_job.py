# SPDX-License-Identifier: Apache-2.0
"""Where the steps of a cloud job meet: what they make before a cloud begins, and the way into it.

Imported by the steps `cloud_*.py`, on nodes. The cloud itself is the package in `../cloud/cloud`, which these steps
give to the interpreter inside the cloud.
"""

from __future__ import annotations

import json
import platform
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urljoin

import job

#: The cloud sees it as /code.
CODE = Path(__file__).resolve().parent.parent / "cloud"
sys.path.insert(0, str(CODE))

from cloud import configs, speculative, state, up, variables  # noqa: E402 - from where the line above says
from cloud.options import Impossible, Options  # noqa: E402

#: Shared with the cloud as /work: what is asked of it, the guest's image, how it fares.
WORK = job.HOME / "cloud"
#: Shared with the cloud as /logs, and kept with the build however that ends.
LOGS = job.ARTIFACTS / "cloud"
READY, FAILED, FIRST, _OPTIONS = WORK / "ready", WORK / "failed", WORK / "first", WORK / "options.json"
#: What is installed from checkouts of this build goes before what the image has; in the cloud, this is /work.
_PROJECTS, _UPGRADE = WORK / "projects", WORK / "upgrade-projects"
#: Set, though it may be empty, of jobs that upgrade a cloud: packages, and the tags that they are of before.
_BEFORE = "cloud_upgrade_from"
#: States that the image has.
_STATES = Path("/opt/cloud/state")
#: Nothing of the job's own environment: its proxies lead nowhere in there.
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "PYTHONPATH": "/work/projects:/code",
    "PYTHONDONTWRITEBYTECODE": "1",
    **up.mark(),
}


def prepared(host: str = "", hosts: Sequence[str] = ()) -> Options:
    """What the job wants, said to the log and to the cloud; the projects of this build are installed.

    Where the cloud has several hosts, this node is one of them: they are called as the nodes are.
    """
    WORK.mkdir()
    LOGS.mkdir(parents=True)
    try:
        options = variables.options_of(job.variables(), platform.machine())
        if hosts:
            options = replace(options, host=host, hosts=variables.nodes(job.variables(), hosts))
    except Impossible as problem:
        job.fail(str(problem))
    if not Path(options.venv, "bin/python").exists():
        job.fail(f"the node has no {options.venv}: give this job a label whose image is made as docs/cloud.md says.")
    where = f" On {', '.join(options.hosts)}; this is {host}." if hosts else ""
    print(f"The cloud: {', '.join(sorted(options.services))}.{where}", flush=True)
    projects = speculative.among(job.variables(), job.HOME, Path(options.venv))
    upgrades = _BEFORE in job.variables()
    try:
        found = speculative.at(projects, job.table(_BEFORE), WORK / "before") if upgrades else projects
        _install(found, options, _PROJECTS)
    except speculative.NotInstalled as problem:
        job.fail(str(problem))
    _OPTIONS.write_text(options.to_json(), "utf-8")
    return options


def prepared_upgrade() -> list[str]:
    """The packages that the cloud which is up is to be upgraded to: from the checkouts, installed beside it."""
    options = Options.from_json(_OPTIONS.read_text("utf-8"))
    projects = speculative.among(job.variables(), job.HOME, Path(options.venv))
    if not projects:
        job.fail("there is nothing to upgrade to: give the job a required-project that is part of the cloud.")
    try:
        _install(projects, options, _UPGRADE)
    except speculative.NotInstalled as problem:
        job.fail(str(problem))
    _OPTIONS.write_text(replace(options, projects=f"/work/{_UPGRADE.name}").to_json(), "utf-8")
    return [project.package for project in projects]


def _install(projects: list[speculative.Project], options: Options, target: Path) -> None:
    if not projects:
        print("No repository of this build is part of the cloud; all of it is of the image.", flush=True)
        return
    print(f"From this build: {', '.join(map(str, projects))}.", flush=True)
    speculative.install(projects, Path(options.venv), target)


def state_name(options: Options) -> str:
    """The name of the state that this cloud begins with."""
    return state.name(options, _PROJECTS)


def artifact_name(name: str) -> str:
    """What the artifact is called that has the state of this name."""
    return f"cloud state {name}"


def kept_state(options: Options) -> Path | None:
    """The state that this cloud begins with: of the image, of a job before this, of a build of the past; or None."""
    name = state_name(options)
    there = _STATES / f"{name}{state.SUFFIX}"
    if there.exists():
        return there
    given = [url for about, url in job.artifacts("cloud_state") if about.get("name") == name]
    listed = job.text("cloud_states")
    builds = job.answer(listed) if listed and not given else None
    past = [(one, build["log_url"]) for build in builds or () for one in build.get("artifacts", ())]
    urls = [*given, *(urljoin(place, one["url"]) for one, place in past if one["name"] == artifact_name(name))]
    return job.fetched(urls[0]) if urls else None


def entering(options: Options, *words: str) -> list[str | Path]:
    """The command line that runs the package in namespaces of its own."""
    return [CODE / "enter", WORK, LOGS, f"{options.venv}/bin/python", "-m", "cloud", *words]


def inside(*words: str) -> int:
    """Run the package in the cloud that is there, its output into the log; its exit code."""
    options = Options.from_json(_OPTIONS.read_text("utf-8"))
    line = [CODE / "inside", WORK, f"{options.venv}/bin/python", "-m", "cloud", *words]
    environment = ENVIRONMENT | {"PYTHONPATH": f"{options.projects}:/code"}
    return subprocess.run(line, env=environment, check=False).returncode


def offer(options: Options) -> None:
    """Say how people use the cloud, should its node stay for one (`gatebot run --keep`)."""
    variable = shlex.join(f"{name}={value}" for name, value in up.environment(options).items())
    enter = [str(CODE / "inside"), str(WORK), "env", "-i", *shlex.split(variable), "TERM=xterm"]
    identity = f"{configs.url(options, 'keystone')}/v3"
    says = [
        f"The cloud: {identity} in there, as admin of the project admin, password {options.password}.",
        "Clients find that by OS_CLOUD=admin, which is set, and /etc/openstack/clouds.yaml. For example:",
        "  {enter} openstack server list",
        "  {enter} bash",
    ]
    (job.HOME / ".stay.json").write_text(json.dumps({"enter": enter, "says": says}), "utf-8")


def why_failed() -> str:
    """What ended the cloud; empty while nothing did."""
    return FAILED.read_text("utf-8").strip() if FAILED.exists() else ""
