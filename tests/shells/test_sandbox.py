# SPDX-License-Identifier: Apache-2.0
"""Jobs in the real sandbox of this machine: limits and results, what lives on, what ends, who sees secrets.

What attacks it is in tests/chaos/escape. Set-up installs bubblewrap: where it is missing these tests fail, they are
not skipped.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from gatebot.assignment import SecretRef
from gatebot.executor.model import Sandbox
from gatebot.executor.providers.link import processes
from gatebot.executor.providers.model import Capacity
from gatebot.words import say
from tests.fakes.executor import PROJECT, job, script
from tests.fakes.site import eventually
from tests.fakes.workshop import Workshop, processes_of, started_by, workshop

needs_groups = pytest.mark.skipif(os.geteuid() != 0, reason="limits by control groups need root")


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Workshop]:
    async with workshop(tmp_path) as made:
        yield made


async def test_the_probe_really_ran_a_sandbox(shop: Workshop) -> None:
    capacity = shop.executor.capacity
    assert isinstance(capacity, Capacity), say(capacity)
    assert capacity.sandbox in (Sandbox.PRIVILEGED, Sandbox.ROOTLESS)
    assert shop.executor.posture() is None


@needs_groups
async def test_a_memory_hog_is_killed_and_the_result_says_why(shop: Workshop) -> None:
    completed, text = await shop.script("exec python3 -c 'x = bytearray(400 << 20); print(len(x))'")
    assert completed.result == "FAILURE"
    assert completed.reason is not None
    assert say(completed.reason) == (
        "The step run run.sh used more memory than its node has, and was killed. "
        "Use less, or a node label with more memory."
    )
    assert "419430400" not in text


async def test_a_full_disk_has_its_own_result(shop: Workshop) -> None:
    completed, text = await shop.script("dd if=/dev/zero of=$HOME/big bs=1M count=200 2>&1")
    assert completed.result == "DISK_FULL"
    assert "No space left on device" in text


async def test_a_daemon_of_pre_run_serves_the_run_and_can_be_told_to_stop(shop: Workshop) -> None:
    daemon = "(trap 'echo told to stop; exit 0' TERM; echo up; while :; do sleep 0.05; done) &\n"
    files = {
        "pre.sh": f"#!/bin/sh\n{daemon}echo $! > $HOME/pid; echo kept > /tmp/left; mv /tmp/left /var/tmp\n",
        "run.sh": "#!/bin/sh\ncat /var/tmp/left; kill -0 $(cat $HOME/pid)\n",
        "post.sh": "#!/bin/sh\npid=$(cat $HOME/pid); kill $pid; while kill -0 $pid 2>/dev/null; do sleep 0.01; done\n",
    }
    given = shop.assignment(files, job(pre_run=(script("pre.sh"),), post_run=(script("post.sh"),)))
    completed = await shop.run(given)
    text = shop.text(given.build)
    assert completed.result == "SUCCESS", text
    assert {"up", "kept", "told to stop"} <= set(text.splitlines())


async def test_what_a_step_leaves_running_is_gone_when_the_build_is_over(shop: Workshop) -> None:
    completed, _ = await shop.script("setsid sleep 98765 </dev/null >/dev/null 2>&1 &\nsleep 0.05")
    assert completed.result == "SUCCESS"
    assert processes_of("98765") == []


async def test_a_job_that_ends_its_own_sandbox_loses_what_runs_and_nothing_else(shop: Workshop) -> None:
    given = shop.assignment(
        {"run.sh": "#!/bin/sh\nkill -9 2; sleep 60\n", "post.sh": "#!/bin/sh\necho after all\n"},
        job(post_run=(script("post.sh"),)),
    )
    completed = await shop.run(given)
    assert completed.result == "FAILURE"
    assert "after all" in shop.text(given.build)


async def test_a_build_whose_node_is_killed_from_outside_is_tried_again(shop: Workshop) -> None:
    given = shop.assignment({"run.sh": "#!/bin/sh\nsleep 98767\n"})
    await shop.executor.assign(given)
    await asyncio.to_thread(eventually, lambda: processes_of("98767"), "it runs")
    for started in [one for privileged in processes() for one in started_by(privileged.pid)]:
        with suppress(OSError):  # it has ended with another
            if Path(f"/proc/{started}/comm").read_text() == "bwrap\n":
                os.kill(started, signal.SIGKILL)
    completed = await shop.reports.of(given.build)
    assert completed.result == "RETRY"
    assert "were killed on its machine, by somebody who is not of the build" in shop.text(given.build)
    assert processes_of("98767") == []


async def test_a_job_that_kills_itself_has_failed(shop: Workshop) -> None:
    completed, _ = await shop.script("kill -9 $$")
    assert completed.result == "FAILURE"


async def test_nothing_of_the_process_that_enters_the_sandbox_is_left_for_the_job(shop: Workshop) -> None:
    _, text = await shop.script(
        "ls -l /proc/self/fd | grep -c -e socket: -e pipe: -e mnt: -e user:; env | grep PYTHONPATH\n"
        "grep -E '^(CapInh|CapPrm|CapBnd|CapAmb|SigIgn):' /proc/self/status"
    )
    descriptors, *told = text.splitlines()[1:-1]
    assert descriptors == "2"  # the output and the errors of the listing itself
    found = {name: int(mask, 16) for name, _, mask in (line.partition(":\t") for line in told)}
    found["SigIgn"] &= ~(0b11 << 31)  # the C library's own two: make leaves them so, and nobody can change them
    assert found == dict.fromkeys(("SigIgn", "CapInh", "CapPrm", "CapBnd", "CapAmb"), 0)


async def test_a_timeout_kills_and_is_told(shop: Workshop) -> None:
    completed, text = await shop.script("trap '' TERM INT\nsetsid sleep 98764 & sleep 98764", timeout=1)
    assert completed.result == "TIMED_OUT"
    assert processes_of("98764") == []
    assert "longer than its limit of 1 seconds" in text


async def test_an_abort_ends_a_stubborn_job(shop: Workshop) -> None:
    given = shop.assignment({"run.sh": "#!/bin/sh\ntrap '' TERM INT HUP\nsetsid sleep 98763 & sleep 98763\n"})
    await shop.executor.assign(given)
    await shop.reports.begun(given.build)
    await shop.executor.abort(given.build, given.fence)
    completed = await shop.reports.of(given.build)
    assert completed.result == "ABORTED"
    assert processes_of("98763") == []


async def test_a_secret_is_for_the_step_that_lists_it_and_covered_in_the_log(shop: Workshop) -> None:
    spy = "#!/bin/sh\n(while :; do cat /proc/[0-9]*/environ; sleep 0.01; done >> $HOME/seen 2>/dev/null) &\n"
    files = {
        "spy.sh": spy,
        "run.sh": '#!/bin/sh\necho "mine: $GATEBOT_SECRETS"; ls /proc | grep -c "^[0-9]"; sleep 0.2\n',
        "steal.sh": '#!/bin/sh\necho "stolen: $GATEBOT_SECRETS."; grep -c s3cret $HOME/seen\n',
    }
    book = replace(script(), secrets=(SecretRef("login", "upload", PROJECT),))
    frozen = job(book, script("steal.sh"), pre_run=(script("spy.sh"),))
    given = shop.assignment(files, frozen, secrets={"upload": {"token": "s3cret-value"}})
    completed = await shop.run(given)
    lines = shop.text(given.build).splitlines()
    assert (completed.result, completed.reason) != ("SUCCESS", None), "grep finds nothing, and says so with its status"
    assert 'mine: {"login": {"token": "*****"}}' in lines
    assert "stolen: ." in lines
    assert lines[lines.index("stolen: .") + 1] == "0"
    assert "s3cret" not in "".join(lines)
