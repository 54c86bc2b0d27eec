# SPDX-License-Identifier: Apache-2.0
"""Changes of refs/meta/config: pushed for review by the real git client, like those of any branch."""

from __future__ import annotations

import asyncio
from pathlib import Path

from gatebot.review.permission import target_of
from tests.fakes.githost import GitHost


async def test_configuration_is_pushed_for_review_and_directly_by_owners(host: GitHost, tmp_path: Path) -> None:
    work = await host.clone("demo/api", tmp_path / "mina")
    admin = host.address("demo/api", "admin")
    work.git("checkout", "-q", "--orphan", "config")
    first = work.commit("Configure", project_dot_config='[project]\n\tdescription = "x"\n')
    done = await asyncio.to_thread(work.run, "push", admin, "HEAD:refs/meta/config")
    assert done.returncode == 0, done.stderr
    assert host.repos.resolve("demo/api", "refs/meta/config") == first

    second = work.commit("Describe", project_dot_config='[project]\n\tdescription = "y"\n')
    done = await asyncio.to_thread(work.run, "push", admin, "HEAD:refs/for/refs/meta/config%topic=conf")
    assert "  http://review.example.org/c/demo/api/+/1 Describe [NEW]" in done.stderr.replace("remote: ", ""), (
        done.stderr
    )
    made = await host.change(1)
    assert (made.branch, made.topic, target_of(made).ref) == ("refs/meta/config", "conf", "refs/meta/config")
    assert host.repos.resolve("demo/api", "refs/changes/01/1/1") == second

    done = await asyncio.to_thread(work.run, "push", admin, "HEAD:refs/meta/config")
    assert "Processing changes: refs: 1, closed: 1, done" in done.stderr
    assert not (await host.change(1)).is_open
    refused = await asyncio.to_thread(work.run, "push", admin, ":refs/meta/config")
    assert "(cannot delete project configuration)" in refused.stderr
    assert "Cannot delete project configuration from 'refs/meta/config'" in refused.stderr
