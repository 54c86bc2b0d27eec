# SPDX-License-Identifier: Apache-2.0
"""Builds with several nodes, for real: their private network, playbooks over all of them, scripts on the first."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from gatebot.assignment import FrozenJob, NodeGroup, NodeSpec, Playbook
from gatebot.executor.model import Sandbox
from tests.fakes.executor import job, script
from tests.fakes.workshop import Workshop, processes_of, workshop

TALK = """\
- hosts: server
  gather_facts: false
  tasks:
    - copy: {content: "hello from {{ inventory_hostname }}", dest: /home/job/greeting}
    - shell: nohup python3 -m http.server 8080 >/dev/null 2>&1 &
- hosts: clients
  gather_facts: false
  tasks:
    - script: fetch.py {{ hostvars['server'].nodepool.private_ipv4 }} server
      register: fetched
    - debug: {msg: "{{ inventory_hostname }} got {{ fetched.stdout }}"}
    - zuul_return: {data: {got: "{{ fetched.stdout_lines }}"}}
    - stat: {path: "{{ zuul.project.src_dir }}/run.yaml"}
      register: there
    - assert: {that: there.stat.exists}
"""
FETCH = """\
#!/usr/bin/python3
import sys, time, urllib.request
for host in sys.argv[1:]:
    for _ in range(100):
        try:
            print(urllib.request.urlopen(f"http://{host}:8080/greeting", timeout=5).read().decode())
            break
        except OSError:
            time.sleep(0.05)
"""


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Workshop]:
    async with workshop(tmp_path) as made:
        yield made


def nodes(*books: Playbook, **more: object) -> FrozenJob:
    specs = (NodeSpec(("server", "primary"), "large"), NodeSpec(("client",), "large"))
    groups = (NodeGroup("clients", ("client",)),)
    return replace(job(*books, **more), nodes=specs, groups=groups)  # type: ignore[arg-type]


async def runs_on_both(marker: str) -> None:
    """Until a process with this word on its command line runs on each of two nodes."""
    while len(processes_of(marker)) < 2:
        await asyncio.sleep(0.02)


async def test_a_client_on_one_node_reaches_a_server_on_the_other(shop: Workshop) -> None:
    files = {"run.yaml": TALK, "fetch.py": FETCH}
    completed = await shop.run(shop.assignment(files, nodes(script("run.yaml"))))
    assert completed.result == "SUCCESS", shop.text(completed.build)
    got = ["hello from server"] * 2
    assert json.loads(completed.data) == {"got": got}, "by address and by name"
    assert shop.executor.supply.nodes == {}


@pytest.mark.parametrize("run", ["run.sh", "run.yaml"])
async def test_nodes_are_reached_past_the_proxy_of_the_package_indexes(shop: Workshop, run: str) -> None:
    tasks = "[{command: printenv no_proxy, register: it}, {debug: {var: it.stdout}}]"
    play = f"- hosts: server\n  gather_facts: false\n  tasks: {tasks}\n"
    files = {"run.sh": "#!/bin/sh\nprintenv no_proxy\n", "run.yaml": play}
    specs = (NodeSpec(("server",), "mirrors"), NodeSpec(("client",), "mirrors"))
    completed = await shop.run(shop.assignment(files, replace(job(script(run)), nodes=specs)))
    assert completed.result == "SUCCESS"
    assert "localhost,127.0.0.1,server,172.24.0.1,client,172.24.0.2" in shop.text(completed.build)


async def test_a_script_runs_on_the_first_node_and_knows_the_others_and_both_leave_artifacts(shop: Workshop) -> None:
    files = {
        "run.sh": "#!/bin/sh\ncat /etc/hosts; echo script > $GATEBOT_ARTIFACTS/one.txt\n"
        "python3 -c \"import json, os; print(json.load(open(os.environ['GATEBOT_VARIABLES']))['gatebot']['nodes'])\"\n",
        "run.yaml": "- hosts: client\n  gather_facts: false\n  tasks:\n"
        "    - copy: {content: play, dest: '{{ zuul.executor.log_root }}/two.txt'}\n      delegate_to: localhost\n",
    }
    completed = await shop.run(shop.assignment(files, nodes(script(), script("run.yaml"))))
    text = shop.text(completed.build)
    assert completed.result == "SUCCESS", text
    assert "172.24.0.2 client" in text
    assert "{'server': '172.24.0.1', 'primary': '172.24.0.1', 'client': '172.24.0.2'}" in text
    assert [name for name, _ in completed.artifacts] == ["one.txt", "two.txt"]


async def test_an_abort_ends_a_playbook_on_every_node_within_two_seconds(shop: Workshop) -> None:
    playbook = "- hosts: all\n  gather_facts: false\n  tasks: [{shell: 'exec sleep 86397'}]\n"
    given = shop.assignment({"run.yaml": playbook}, nodes(script("run.yaml")))
    await shop.executor.assign(given)
    await runs_on_both("86397")
    began = time.monotonic()
    await shop.executor.abort(given.build, given.fence)
    completed = await shop.reports.of(given.build)
    assert completed.result == "ABORTED"
    assert time.monotonic() - began < 2.0
    assert processes_of("86397") == []


async def test_a_node_that_dies_asks_for_another_attempt(shop: Workshop) -> None:
    playbook = "- hosts: all\n  gather_facts: false\n  tasks: [{shell: 'exec sleep 86396'}]\n"
    given = shop.assignment({"run.yaml": playbook}, nodes(script("run.yaml")))
    await shop.executor.assign(given)
    await runs_on_both("86396")
    await shop.executor.supply.provider("local").destroy(f"{given.build}-1")
    await shop.executor.supply.provider("local").connect(given.build).kill()
    completed = await shop.reports.of(given.build)
    assert (completed.result, completed.retry) == ("RETRY", True), shop.text(given.build)


async def test_without_a_sandbox_several_nodes_are_directories_and_a_playbook_reaches_them_all(tmp_path: Path) -> None:
    playbook = "- hosts: all\n  gather_facts: false\n  tasks: [{shell: 'pwd >> where; cat where'}]\n"
    async with workshop(tmp_path, Sandbox.NONE) as shop:
        completed = await shop.run(shop.assignment({"run.yaml": playbook}, nodes(script("run.yaml"))))
        text = shop.text(completed.build)
        assert completed.result == "SUCCESS", text
        homes = {line.partition(" | ")[2] for line in text.splitlines() if line.endswith("/home/job")}
        assert len(homes) == 2
