# SPDX-License-Identifier: Apache-2.0
"""Whole builds on the real executor: workspaces, phases, playbooks, networks, artifacts, results."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from gatebot.assignment import Checkout, NodeSpec, SecretRef
from gatebot.executor.model import Sandbox
from gatebot.words import say
from tests.fakes.executor import PROJECT, job, script
from tests.fakes.package_index import package_index, write_wheel
from tests.fakes.workshop import Workshop, processes_of, workshop

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Workshop]:
    async with workshop(tmp_path) as made:
        yield made


async def test_a_job_finds_the_speculative_commit_and_nothing_of_other_repositories(shop: Workshop) -> None:
    shop.assignment({"run.sh": "#!/bin/sh\nexit 9\n", "old.txt": "old"})
    completed, text = await shop.script(
        "git status --short --branch; git log --format=%s; cat old.txt; echo\n"
        "git remote -v; ls -A .git/objects/info; git fsck --full --strict && git rev-parse HEAD; pwd"
    )
    assert completed.result == "SUCCESS", text
    lines = text.splitlines()
    assert lines[:5] == ["run: demo/api run.sh", "## main", "Change", "Change", "old"]
    assert lines[5:7] == [f"origin\tfile:///dev/null ({what})" for what in ("fetch", "push")]
    assert len(lines[7]) == 40
    assert lines[8:] == ["/home/job/src/git.example.org/demo/api", "result: SUCCESS"]


async def test_a_script_that_is_not_executable_says_how_to_make_it_so(shop: Workshop) -> None:
    completed = await shop.run(shop.assignment({"run.sh": "echo never\n"}))
    assert completed.reason is not None
    assert say(completed.reason) == (
        "The step run run.sh failed with exit code 127. The file run.sh of demo/api is not executable: "
        "git update-index --chmod=+x run.sh, then commit and push."
    )


async def test_objects_of_other_changes_do_not_reach_the_workspace(shop: Workshop) -> None:
    shop.assignment({"run.sh": "#!/bin/sh\n"})
    store = Path(shop.stores.locate(PROJECT))
    hidden = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"], cwd=store, input="hidden", text=True, capture_output=True, check=True
    ).stdout.strip()
    _, text = await shop.script(f"git cat-file -t {hidden} 2>&1; git cat-file --batch-all-objects --batch-check")
    assert "could not get object info" in text
    assert text.count(hidden) <= 1


async def test_every_phase_runs_and_returned_data_and_artifacts_are_kept(shop: Workshop) -> None:
    step = '#!/bin/sh\necho "$GATEBOT_PHASE $GATEBOT_SUCCESS" | tee -a $GATEBOT_ARTIFACTS/deep/phases.txt\n'
    first = "#!/bin/sh\nmkdir -p $GATEBOT_ARTIFACTS/deep; ln -s /etc/passwd $GATEBOT_ARTIFACTS/link\n"
    files = {
        "pre.sh": first + step[10:],
        "run.sh": step + 'echo \'{"version": "1.2", "zuul": {"artifacts": [{"name": "site", "url": "http://x/"}]}}\' '
        "> $GATEBOT_RESULT\nexit 4\n",
        "post.sh": step,
    }
    frozen = job(pre_run=(script("pre.sh"),), post_run=(script("post.sh"),), cleanup_run=(script("post.sh"),))
    given = shop.assignment(files, frozen)
    completed = await shop.run(given)
    assert completed.result == "FAILURE"
    assert completed.reason is not None
    assert say(completed.reason) == "The step run run.sh failed with exit code 4."
    assert json.loads(completed.data)["version"] == "1.2"
    assert completed.artifacts == (("site", "http://x/"), ("deep/phases.txt", "artifacts/deep/phases.txt"))
    kept = shop.logs.directory(given.build) / "artifacts/deep/phases.txt"
    assert kept.read_text() == "pre-run true\nrun true\npost-run false\ncleanup false\n"
    assert [say(reason) for reason in shop.reports.failings] == ["The step run run.sh failed with exit code 4."]
    assert shop.reports.starts == [given.build]


async def test_the_first_error_of_the_log_is_in_the_result(shop: Workshop) -> None:
    completed, _ = await shop.script("echo fine\necho 'E       assert 3 == 4'\nexit 1")
    assert (completed.error_line, completed.error_text) == (3, "E       assert 3 == 4")
    assert shop.logs.lines(completed.build, 3, 1)[0].endswith(" | E       assert 3 == 4")


async def test_a_line_that_means_failure_is_told_while_the_job_runs(shop: Workshop) -> None:
    _, _ = await shop.script("echo DOOMED; exit 1", failure_output=("^DOO.ED$",))
    assert say(shop.reports.failings[0]) == "The job printed a line that means failure: DOOMED"


async def test_a_playbook_runs_with_zuuls_variables_and_its_output_reads_well(shop: Workshop) -> None:
    playbook = (
        "- hosts: all\n  gather_facts: false\n  tasks:\n"
        "    - name: Say the project\n      command: echo {{ zuul.project.name }} {{ token | length }}\n"
        "    - name: Give back\n      zuul_return: {data: {answer: 42}}\n"
        "    - name: Break\n      command: sh -c 'echo out; exit 3'\n"
    )
    book = replace(script("run.yaml"), secrets=(SecretRef("token", "upload", PROJECT),))
    frozen = job(book, label="large")
    given = shop.assignment({"run.yaml": playbook}, frozen, secrets={"upload": "s3cret-token"})
    completed = await shop.run(given)
    text = shop.text(given.build)
    assert completed.result == "FAILURE", text
    assert text.splitlines()[:5] == [
        "run: demo/api run.yaml",
        "PLAY [all]",
        "TASK [Say the project]",
        "    demo/api 12",
        "  node: changed",
    ]
    assert "    out\nfatal: [node]: FAILED! exit code 3: out\n" in text
    assert completed.error_text == "fatal: [node]: FAILED! exit code 3: out"
    assert json.loads(completed.data) == {"answer": 42}


async def test_a_job_whose_label_nobody_has_fails_at_once_with_the_choices(shop: Workshop) -> None:
    completed, _ = await shop.script("true", label="huge")
    assert completed.result == "NODE_FAILURE"
    assert completed.reason is not None
    assert say(completed.reason) == (
        "No node has the label huge. This site has: large, mirrors, small, trusted. "
        "Use one of these in the nodeset, or add [labels.huge] to gatebot.toml."
    )


async def test_a_node_of_another_architecture_or_of_privilege_is_refused(shop: Workshop) -> None:
    foreign = replace(job(), nodes=(NodeSpec(("a",), "small", arch="s390x"),))
    first = await shop.run(shop.assignment({"run.sh": "#!/bin/sh\n"}, foreign))
    second, _ = await shop.script("true", label="trusted")
    assert [first.result, second.result] == ["NODE_FAILURE", "NODE_FAILURE"]
    assert second.reason is not None
    assert say(second.reason) == "The label trusted is privileged: only jobs that run after review may use it."


async def test_a_commit_that_is_nowhere_asks_for_another_attempt_and_leaves_no_node(shop: Workshop) -> None:
    given = shop.assignment({"run.sh": "#!/bin/sh\n"})
    lost = replace(given, checkouts=(Checkout(PROJECT, "main", "d" * 40, PROJECT),))
    completed = await shop.run(lost)
    assert (completed.result, completed.retry) == ("RETRY", True)
    assert completed.reason is not None
    assert say(completed.reason).startswith("The workspace could not be prepared: ")
    assert shop.executor.free_slots() == 4


async def test_assigning_twice_runs_once_and_a_stale_fence_is_killed(shop: Workshop) -> None:
    given = shop.assignment({"run.sh": "#!/bin/sh\nsleep 0.2\n"})
    await shop.executor.assign(given)
    await shop.executor.assign(given)
    assert shop.executor.free_slots() == 3
    await shop.reports.of(given.build)
    assert shop.reports.starts == [given.build]
    shop.reports.stale = True
    stale = shop.assignment({"run.sh": "#!/bin/sh\nsleep 100\n"})
    assert (await shop.run(stale)).result == "ABORTED"


@pytest.fixture
async def index(tmp_path: Path, unused_tcp_port: int) -> AsyncIterator[str]:
    async with package_index(tmp_path / "wheels", unused_tcp_port) as address:
        yield address


_INSTALL = """set -e
python3 -m venv --without-pip $HOME/v
python3 -m pip --python $HOME/v/bin/python install -q {options} -r requirements.txt
$HOME/v/bin/python -c 'import tiny_one; print("answer", tiny_one.answer)'
"""


async def test_pip_installs_through_the_proxy_what_the_setting_lists(tmp_path: Path, index: str) -> None:
    text = "#!/bin/sh\n" + _INSTALL.format(options=f"--trusted-host 127.0.0.2 --index-url {index}")
    (tmp_path / "shop").mkdir()
    async with workshop(tmp_path / "shop", mirrors=["127.0.0.2"]) as shop:
        given = shop.assignment({"run.sh": text, "requirements.txt": "tiny-one\n"}, job(label="mirrors"))
        completed = await shop.run(given)
        assert completed.result == "SUCCESS", shop.text(given.build)
        assert "answer 42" in shop.text(given.build)


async def test_offline_jobs_install_from_the_read_only_wheelhouse(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    write_wheel(wheels / "tiny_one-1-py3-none-any.whl")
    text = "#!/bin/sh\n" + _INSTALL.format(options="") + "touch $GATEBOT_WHEELHOUSE/x 2>&1 || true\n"
    async with workshop(tmp_path, wheelhouse=str(wheels)) as shop:
        given = shop.assignment({"run.sh": text, "requirements.txt": "tiny-one\n"}, job(label="large"))
        completed = await shop.run(given)
        assert completed.result == "SUCCESS", shop.text(given.build)
        assert "answer 42" in shop.text(given.build)
        assert "Read-only file system" in shop.text(given.build)


async def test_without_a_sandbox_the_same_job_runs_and_every_page_is_told(tmp_path: Path) -> None:
    async with workshop(tmp_path, Sandbox.NONE) as shop:
        posture = shop.executor.posture()
        assert posture is not None
        assert say(posture) == (
            'Jobs run without a sandbox (sandbox = "none"): they can read and change whatever this server can.'
        )
        completed, text = await shop.script("cat run.sh | head -1; echo kept > $GATEBOT_ARTIFACTS/a; exit 3")
        assert completed.reason is not None
        assert say(completed.reason) == "The step run run.sh failed with exit code 3."
        assert "#!/bin/sh" in text
        assert completed.artifacts == (("a", "artifacts/a"),)


_ROOTLESS = """
import asyncio, sys
from pathlib import Path
from gatebot.executor.model import Sandbox
from tests.fakes.package_index import package_index, write_wheel
from tests.fakes.workshop import workshop

async def main():
    async with workshop(Path(sys.argv[1]), Sandbox.ROOTLESS) as shop:
        completed, text = await shop.script("id -u; touch /opt/gatebot/x 2>&1; cat /etc/shadow 2>&1; echo done")
        print(shop.executor.capacity, completed.result, text)

asyncio.run(main())
"""


_KILLED = """
import asyncio, sys
from pathlib import Path
from gatebot.executor.model import Sandbox
from tests.fakes.package_index import package_index, write_wheel
from tests.fakes.workshop import workshop

async def main():
    place, sandbox, mark = Path(sys.argv[1]), Sandbox(sys.argv[2]), sys.argv[3]
    async with workshop(place, sandbox) as shop:
        script = f"#!/bin/sh\\nmkfifo p; setsid sh -c 'echo running; read line < p' job-{mark} & wait\\n"
        given = shop.assignment({"run.sh": script})
        await shop.executor.assign(given)
        await shop.reports.begun(given.build)
        async for _, piece in shop.logs.follow(given.build, 0):
            if b"running" in piece:
                print("ready", flush=True)
                await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize("sandbox", [Sandbox.AUTO, Sandbox.NONE])
async def test_the_jobs_of_a_killed_server_end_at_once_or_when_it_starts_again(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    mark = uuid4().hex
    line = [sys.executable, "-c", _KILLED, str(tmp_path), sandbox.value, mark]
    server = await asyncio.create_subprocess_exec(*line, cwd=ROOT, stdout=subprocess.PIPE)
    assert server.stdout is not None
    told = await server.stdout.readline()
    running = [os.pidfd_open(process) for process in processes_of(f"job-{mark}")]
    server.kill()
    await server.wait()
    assert (told, len(running)) == (b"ready\n", 1)
    if sandbox is not Sandbox.NONE:
        for process in running:
            await asyncio.wait_for(readable(process), 5)
    async with workshop(tmp_path, sandbox) as again:
        assert again.executor.free_slots() == 4
        assert processes_of(f"job-{mark}") == []
        assert [path for path in (tmp_path / "site/executor/layers").iterdir() if path.suffix != ".gone"] == []
    for process in running:
        os.close(process)


async def readable(descriptor: int) -> None:
    """Wait until there is something to read; of a process: until it has ended."""
    loop = asyncio.get_running_loop()
    seen = loop.create_future()
    loop.add_reader(descriptor, lambda: seen.done() or seen.set_result(None))
    try:
        await seen
    finally:
        loop.remove_reader(descriptor)


_DROPPED = """
import asyncio, os, sys
from pathlib import Path
from gatebot.clock import SystemClock
from gatebot.executor import assembly
from gatebot.executor.model import HOST_IMAGE, Label
from gatebot.executor.providers import link
from tests.fakes.executor import PROJECT, HeardReports, Stores, assignment, job

place = Path(sys.argv[1])
prepared = assembly.prepare(place, server_uid=65534, labels={"small": Label("small", image=HOST_IMAGE)})
link.drop(65534, 65534)

async def main():
    reports, stores = HeardReports(), Stores(place / "stores")
    commit = stores.make(PROJECT, {"run.sh": "#!/bin/sh\\nid -u; stat -c %U run.sh; git log --format=%s\\n"})
    executor, logs = assembly.executor(
        prepared, reports=reports, sources=stores, clock=SystemClock(), host="h", mirrors=[]
    )
    await executor.start()
    given = assignment(commit, job())
    await executor.assign(given)
    completed = await reports.of(given.build)
    print(os.geteuid(), executor.capacity, completed.result, *logs.lines(given.build, 1, 9), sep="\\n")
    await executor.close()
    print(os.listdir(place / "executor/layers"))

asyncio.run(main())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to begin with")
def test_a_root_start_becomes_nobody_and_jobs_have_uids_of_their_own() -> None:
    with tempfile.TemporaryDirectory(prefix="gatebot-dropped-") as place:
        os.chown(place, 65534, 65534)
        line = [sys.executable, "-c", _DROPPED, place]
        told = subprocess.run(line, cwd=ROOT, env={**os.environ, "HOME": place}, capture_output=True, text=True)
        assert told.returncode == 0, told.stderr
        lines = [text.rpartition(" | ")[2] for text in told.stdout.splitlines()]
        assert lines[0] == "65534"
        assert "Sandbox.PRIVILEGED" in lines[1]
        assert lines[2:] == ["SUCCESS", "run: demo/api run.sh", "1000", "job", "Change", "result: SUCCESS", "[]"]


_FURTHER = """
import asyncio, sys
from pathlib import Path
from gatebot.executor import assembly, providing
from gatebot.executor.model import Sandbox
from gatebot.executor.providers import link
from gatebot.executor.providers.container import Containers
from gatebot.executor.providers.qemu import Qemu

prepared = assembly.prepare(Path(sys.argv[1]), sandbox=Sandbox.NONE, server_uid=65534)
link.drop(65534, 65534)
around = providing.Around(prepared.directory, prepared.images, "h", str)
wanted = {"podman": providing.Container(), "vm": providing.QemuSettings(architectures=("x86_64",))}
made = providing.sources(wanted, around)
containers, machines = made["podman"].provider, made["vm"].provider
assert isinstance(containers, Containers) and isinstance(machines, Qemu)
containers.podman.write()
print(getattr(asyncio.run(machines.probe()), "kind", ""))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to begin with")
def test_a_server_that_root_started_makes_the_directories_of_its_further_providers() -> None:
    with tempfile.TemporaryDirectory(prefix="gatebot-further-") as place:
        os.chown(place, 65534, 65534)
        line = [sys.executable, "-c", _FURTHER, place]
        told = subprocess.run(line, cwd=ROOT, env={**os.environ, "HOME": place}, capture_output=True, text=True)
        assert (told.returncode, told.stdout) == (0, "executor.no-machine\n"), told.stderr
        made = [Path(place, "executor", one) for one in ("containers/podman/storage.conf", "machines/vm")]
        assert [path.stat().st_uid for path in made] == [65534, 65534]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
@pytest.mark.parametrize("subordinate", [False, True])
def test_without_root_the_sandbox_is_made_in_a_user_namespace(subordinate: bool) -> None:
    """As the user nobody: with one uid, and with a range of subordinate ids (given in a mount of our own)."""
    with tempfile.TemporaryDirectory(prefix="gatebot-rootless-") as place:
        os.chown(place, 65534, 65534)
        Path(place, "ids").write_text("nobody:700000:65536\n")
        given = f"mount --bind {place}/ids /etc/subuid; mount --bind {place}/ids /etc/subgid; " if subordinate else ""
        become = f'{given}exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"'
        line = ["unshare", "-m", "sh", "-c", become, "sh", sys.executable, "-c", _ROOTLESS, place]
        told = subprocess.run(line, cwd=ROOT, env={**os.environ, "HOME": place}, capture_output=True, text=True)
        assert told.returncode == 0, told.stderr
        assert "Sandbox.ROOTLESS" in told.stdout
        assert "SUCCESS" in told.stdout
        assert "\n1000\n" in told.stdout
        assert "cannot touch '/opt/gatebot/x'" in told.stdout
        assert "/etc/shadow: No such file" in told.stdout


async def test_a_refused_host_is_named_with_the_setting_in_log_and_answer(tmp_path: Path) -> None:
    async with workshop(tmp_path, mirrors=["index.example.org"]) as shop:
        completed, text = await shop.script(
            "curl -sS http://example.com/; curl -sS https://example.com/", label="mirrors"
        )
        sentence = (
            "The connection to example.com, port 80, is refused: the host is not listed. "
            'To allow it, an administrator adds "example.com" to mirrors under [network] in gatebot.toml.'
        )
        assert completed.result == "FAILURE"
        assert text.count(sentence) == 2
        assert f"gatebot: {sentence}" in text
        assert "port 443, is refused" in text
