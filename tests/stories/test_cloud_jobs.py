# SPDX-License-Identifier: Apache-2.0
"""A whole OpenStack in the gate: what works is merged, and a change to a service that breaks it is not.

Minutes each, with an image that takes minutes too (docs/cloud.md), so not in `make test`: there the pure parts of jobs
are tested, and nodes of nested labels. `make test-cloud` runs these.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatebot import assets
from gatebot.app import places
from gatebot.executor import images
from gatebot.executor.labels import label_from
from gatebot.executor.model import Sandbox
from tests.fakes.irc import free_port
from tests.fakes.site import Person, RunningSite, Template, eventually, open_place
from tests.fakes.ssh_host import LoopbackHost, loopback_host

PATIENCE = 3000.0
PLACE = assets.path("jobs", "cloud", "image")
CONFIG = "- project: {{queue: integrated, check: {{jobs: []}}, gate: {{jobs: [{job}]}}}}\n"
KEEPING = """\
- job:
    name: light-cache
    parent: cloud-cache
    vars: {cloud_services: [keystone, placement, glance, neutron]}
- project:
    queue: integrated
    check: {jobs: []}
    gate: {jobs: [light-cache, cloud-light: {dependencies: [light-cache]}]}
"""
#: A job whose cloud stays up until somebody ends it.
OPEN = """\
- job: {name: cloud-open, parent: cloud, post-timeout: 10800, post-run: ci/wait}
- project: {check: {jobs: [cloud-open]}}
"""
#: A host that lets root in, and a label of it.
MACHINE = """
[providers.machine]
kind = "static"
hosts = ["root@127.0.0.1:{port}"]
key = "{key}"
known_hosts = "{known_hosts}"
directory = "/srv/gatebot"

[labels.cloud-root]
provider = "machine"
privileged = true
"""
#: Makes its root file system, in the namespaces of its server of SSH alone, and runs a command there.
VIEW = """\
set -e
exec 9> {place}/lock
flock 9
if ! mountpoint -q {place}/disk; then
  mount -t tmpfs disk {place}/disk
  cd {place}/disk
  mkdir upper work root
  mount -t overlay machine -o lowerdir={image},upperdir=upper,workdir=work root
  mount --rbind /dev root/dev
  mount -t sysfs sys root/sys
  mount -t proc proc root/proc
fi
exec 9>&-
exec chroot {place}/disk/root sh -c "$SSH_ORIGINAL_COMMAND"
"""
AS_ROOT = "cloud: {nodeset: {nodes: [{name: controller, label: cloud-root}]}}"
WAITS = "#!/bin/sh\necho the cloud waits\nexec sleep 10800\n"
ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.skipif("GATEBOT_CLOUD" not in os.environ, reason="a long one: make test-cloud"),
    pytest.mark.timeout(2 * PATIENCE),
]


def need_image() -> Path:
    """The image of the label `cloud`; skip what has none here."""
    settings, _ = places.load(PLACE)
    needed = images.definition_of(label_from("cloud", settings.labels["cloud"]))
    if not images.is_built(needed, images.shared()):
        pytest.skip("the image is not there: gatebot image build cloud --site jobs/cloud/image")
    return images.shared() / needed.name


@pytest.fixture
def site(template: Template, tmp_path: Path) -> Iterator[RunningSite]:
    """A site with nodes for clouds."""
    need_image()
    directory = template.copy(tmp_path / "site", free_port())
    with (directory / "gatebot.toml").open("a") as told:
        told.write((PLACE / "gatebot.toml").read_text())
    with RunningSite(directory, template.tokens, tmp_path / "homes", sandbox=Sandbox.AUTO) as running:
        yield running


@pytest.fixture
def machine() -> Iterator[LoopbackHost]:
    """A host that lets root in and has all programs of a cloud: its root file system is a view of the image."""
    if os.geteuid():
        pytest.skip("only root makes a host that lets root in")
    image = need_image()
    with open_place() as place:
        (place / "disk").mkdir()
        (place / "enter").write_text(VIEW.format(place=place, image=image))
        with loopback_host(place, f"exec sh {place}/enter") as host:
            yield host


def running(processes: Path) -> Iterator[str]:
    """The programs of all processes."""
    for place in processes.glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            yield place.read_text().strip()


def in_cloud(process: int) -> int:
    """A process of the cloud that a process has begun: one that sees its configuration."""
    parents = {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(place.parent.name)] = int(place.read_text().rpartition(")")[2].split()[1])

    def ours(one: int) -> bool:
        return one == process or (one in parents and ours(parents[one]))

    return min(one for one in parents if ours(one) and Path(f"/proc/{one}/root/etc/openstack/clouds.yaml").exists())


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[int]:
    """A cloud that is up, by one of its processes: of a work tree, as a developer runs it."""
    if os.geteuid():
        pytest.skip("only root enters the network of a cloud")
    need_image()
    tree = tmp_path / "tree"
    (tree / "ci").mkdir(parents=True)
    (tree / ".zuul.yaml").write_text(OPEN)
    (tree / "ci/wait").write_text(WAITS)
    (tree / "ci/wait").chmod(0o755)
    line = [sys.executable, "-P", "-m", "gatebot", "run", "cloud-open", "--dir", str(tree), "--site", str(PLACE)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
        assert running.stdout is not None
        said: list[str] = []
        for row in running.stdout:
            said.append(row)
            if "the cloud waits" in row:
                break
        assert "guest ready" in "".join(said), "".join(said)
        yield in_cloud(running.pid)
        running.send_signal(signal.SIGINT)
        running.stdout.read()


def test_gatebot_has_nodes_in_the_cloud_that_its_job_brought_up(cloud: int, tmp_path: Path) -> None:
    clouds = tmp_path / "clouds.yaml"
    clouds.write_text(Path(f"/proc/{cloud}/root/etc/openstack/clouds.yaml").read_text())
    inside = ["nsenter", "--net", f"--target={cloud}", sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*inside, "tests/stories/test_cloud_nodes.py"], cwd=ROOT, env={**os.environ, "GATEBOT_CLOUDS": str(clouds)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout


def verdict(person: Person, change: int, job: str) -> tuple[str, str]:
    """The build of a job of a change that the gate has ended with, and its log."""
    pattern = re.compile(rf"- {job} \S+/build/(\w+) :")
    found = eventually(
        lambda: next(filter(None, map(pattern.search, person.said(change))), None), "a verdict", PATIENCE
    )
    return found[1], "".join(person.rest.text_lines(f"/logs/{found[1]}/job-output.txt"))


@pytest.mark.parametrize(
    ("job", "proven"),
    [
        ("cloud-light", ("image uploaded", "network and router")),
        ("cloud", ("guest ready", "ssh by floating address", "volume attached and seen", "object put and got")),
    ],
)
def test_a_change_is_merged_when_the_cloud_works(site: RunningSite, job: str, proven: tuple[str, ...]) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    change = ann.propose("api", "Want a cloud", {".zuul.yaml": CONFIG.format(job=job)})
    bob.approve(change)
    build, log = verdict(ann, change, job)
    assert "result: SUCCESS" in log, log
    ann.sees_merged(change, 60)
    assert [name for name in proven if f"  {name}: " not in log] == []
    config = "".join(ann.rest.text_lines(f"/logs/{build}/artifacts/cloud/etc/keystone/keystone.conf"))
    assert "os:***@127.0.0.1/keystone" in config


def test_on_a_host_that_lets_root_in_a_cloud_needs_no_users_of_its_own_and_leaves_nothing(
    template: Template, tmp_path: Path, machine: LoopbackHost
) -> None:
    directory = template.copy(tmp_path / "site", free_port())
    with (directory / "gatebot.toml").open("a") as told:
        told.write(MACHINE.format(port=machine.port, key=machine.key, known_hosts=machine.known_hosts))
    with RunningSite(directory, template.tokens, tmp_path / "homes") as site:
        ann, bob = site.person("ann"), site.person("bob")
        change = ann.propose("api", "Want a cloud", {".zuul.yaml": CONFIG.format(job=AS_ROOT)})
        bob.approve(change)
        _, log = verdict(ann, change, "cloud")
        assert "result: SUCCESS" in log, log
        ann.sees_merged(change, 60)
        assert "  volume attached and seen: " in log
        root = Path(f"/proc/{machine.process.pid}/root{machine.root}/disk/root")
        eventually(lambda: not list((root / "srv/gatebot").iterdir()), "an end of the node")
        eventually(lambda: set(running(root / "proc")) <= {"sshd"}, "an end of all that ran there")


def test_guests_on_two_nodes_of_a_build_are_in_one_cloud(site: RunningSite) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    change = ann.propose("api", "Want a cloud on two nodes", {".zuul.yaml": CONFIG.format(job="cloud-multinode")})
    bob.approve(change)
    build, log = verdict(ann, change, "cloud-multinode")
    assert "result: SUCCESS" in log, log
    ann.sees_merged(change, 60)
    assert "  nova-compute on compute1: up" in log
    proven = ("guest on compute1 ready", "ssh by floating address to compute1", "guests reach each other")
    assert [name for name in proven if f"  {name}" not in log] == []
    told = "".join(ann.rest.text_lines(f"/logs/{build}/artifacts/cloud/compute1/services/nova-compute.log"))
    assert "compute1" in told


def test_a_cloud_begins_from_what_a_job_before_it_kept(site: RunningSite) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    change = ann.propose("api", "Want a cloud soon", {".zuul.yaml": KEEPING})
    bob.approve(change)
    _, log = verdict(ann, change, "cloud-light")
    assert "result: SUCCESS" in log, log
    ann.sees_merged(change, 60)
    assert "It begins from a kept state." in log
    assert "  kept state: " in log
    assert "  tables: " not in log


def import_sdist(site: RunningSite, *packages: str) -> None:
    """Host a package of PyPI as a project, with these versions as its history, or skip."""
    told = {**os.environ, "GATEBOT_URL": site.url, "GATEBOT_USER": "admin", "GATEBOT_TOKEN": site.tokens["admin"]}
    line = [sys.executable, "-P", "-m", "gatebot", "project", "import-sdist", *packages]
    done = subprocess.run(line, env=told, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{packages[0]} cannot be fetched: {done.stderr.strip()}")


def test_a_change_that_breaks_a_service_is_refused_with_the_line_of_its_log(site: RunningSite) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    import_sdist(site, "keystone==30.0.0")
    broken = {"keystone/wsgi/api.py": "import nothing_at_all\n", ".zuul.yaml": CONFIG.format(job="cloud-light")}
    change = ann.propose("keystone", "Begin anew", broken)
    bob.approve(change)
    told = ann.hears(change, "Build failed.", PATIENCE)
    assert "ModuleNotFoundError: No module named 'nothing_at_all' (cloud/services/keystone.log)" in told
    assert ann.status(change) == "NEW"


def test_a_change_is_tested_together_with_the_one_of_another_service_that_it_depends_on(site: RunningSite) -> None:
    """Nova starts only with what the change of keystone brings, which is not merged."""
    import_sdist(site, "keystone==30.0.0")
    import_sdist(site, "nova==34.0.0")
    ann = site.person("ann")
    quiet = "- project: {check: {jobs: []}}\n"
    brought = ann.propose("keystone", "Bring a word", {"keystone/word.py": "WORD = 'given'\n", ".zuul.yaml": quiet})
    asks = "from keystone.word import WORD\n\nprint('keystone has', WORD, flush=True)\n"
    files = {"nova/cmd/__init__.py": asks, ".zuul.yaml": "- project: {check: {jobs: [cloud-fake]}}\n"}
    change = ann.propose("nova", "Ask keystone", files, body=f"Depends-On: {site.url}/c/keystone/+/{brought}")
    build, log = verdict(ann, change, "cloud-fake")
    assert "result: SUCCESS" in log, log
    assert "From this build: keystone, nova." in log
    assert "keystone has given" in "".join(
        ann.rest.text_lines(f"/logs/{build}/artifacts/cloud/services/nova-scheduler.log")
    )
    assert ann.status(brought) == "NEW"


def test_a_guest_answers_while_a_change_upgrades_its_cloud_from_the_release_before(site: RunningSite) -> None:
    import_sdist(site, "nova==33.0.2", "nova==34.0.0")
    ann = site.person("ann")
    config = "- project: {check: {jobs: [cloud-upgrade: {vars: {cloud_upgrade_from: {nova: 33.0.2}}}]}}\n"
    change = ann.propose("nova", "Upgrade clouds", {".zuul.yaml": config})
    build, log = verdict(ann, change, "cloud-upgrade")
    assert "result: SUCCESS" in log, log
    assert "From this build: nova 33.0.2." in log
    cost = json.loads("".join(ann.rest.text_lines(f"/logs/{build}/artifacts/cloud/upgrade.json")))
    assert cost["guest"]["answered"] > 0
    assert cost["apis"]["nova"]["all"] > 0
