# SPDX-License-Identifier: Apache-2.0
"""What roles of Zuul's job library need: trees brought to nodes and back, facts, becoming root, logs on the executor.

The roles here do what those that most jobs share do: prepare-workspace, mirror-workspace-git-repos, add-build-sshkey,
ensure-tox, ensure-output-dirs, stage-output, fetch-output. `make test-zuul-jobs` runs those themselves.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gatebot.assignment import Checkout, NodeSpec, Role
from gatebot.executor.labels import site_labels
from gatebot.executor.model import Sandbox
from gatebot.executor.providers.static import Policy, Static
from gatebot.executor.providing import Source
from tests.fakes.executor import job, script
from tests.fakes.ssh_host import LoopbackHost, loopback_host
from tests.fakes.workshop import LABELS, workshop

PRE = """\
- hosts: all
  gather_subset: [min]
  roles: [prepare, keys, mirror, output]
"""
PREPARE = """\
- zuul_console:
- synchronize: {src: "{{ zuul.executor.src_root }}", dest: "{{ ansible_user_dir }}", recursive: true, delete: true}
  no_log: true
- synchronize: {src: tool.sh, dest: "{{ ansible_user_dir }}/tools/", rsync_opts: ["--quiet"]}
"""
KEYS = """\
- shell: ssh-keygen -q -t ed25519 -N '' -C of-the-build -f {{ key }} && { ssh-add -q {{ key }}; ssh-add -l || true; }
  vars: {key: "{{ zuul.executor.work_root }}/{{ zuul.build }}_key"}
  delegate_to: localhost
  run_once: true
- authorized_key:
    user: "{{ ansible_user }}"
    key: "{{ lookup('file', zuul.executor.work_root + '/' + zuul.build + '_key.pub') }}"
"""
MIRROR = """\
- git_config:
    name: receive.denyCurrentBranch
    value: ignore
    scope: local
    repo: "{{ ansible_user_dir }}/{{ zuul.project.src_dir }}"
- shell: >-
    git branch -f of-the-executor && git push -q --mirror
    git+ssh://{{ ansible_user }}@{{ ansible_host | ipwrap }}:{{ ansible_port }}/{{ there }}
  vars: {there: "{{ ansible_user_dir }}/{{ zuul.project.src_dir }}"}
  args: {chdir: "{{ zuul.executor.work_root }}/{{ zuul.project.src_dir }}"}
  delegate_to: localhost
- shell: git rev-parse --abbrev-ref of-the-executor && grep -c of-the-build {{ ansible_user_dir }}/.ssh/authorized_keys
  args: {chdir: "{{ ansible_user_dir }}/{{ zuul.project.src_dir }}"}
- set_fact: {tool: tools/tool.sh, cacheable: true}
"""
OUTPUT = """\
- file: {path: "{{ ansible_user_dir }}/zuul-output/{{ item }}", state: directory}
  with_items: [logs, artifacts]
"""
RUN = """\
- hosts: all
  gather_facts: false
  tasks:
    - command: git log -1 --format=%s
      args: {chdir: "{{ ansible_user_dir }}/{{ zuul.project.src_dir }}"}
    - command: sh {{ ansible_user_dir }}/{{ tool }}
      when: ansible_python.version.major == 3
    - include_role: {name: greet}
    - copy: {content: "{{ inventory_hostname }}", dest: "{{ ansible_user_dir }}/unit.log"}
    - copy: {content: thing, dest: "{{ ansible_user_dir }}/zuul-output/artifacts/thing.tar"}
"""
POST = """\
- hosts: all
  gather_subset: [min]
  roles:
    - {role: stage, staged: unit.log}
    - fetch
"""
STAGE = """\
- become: true
  file: {path: "{{ ansible_user_dir }}/zuul-output/logs", state: directory, owner: "{{ ansible_user }}"}
  when: staged
- become: true
  command: cp -pRL {{ staged }} {{ ansible_user_dir }}/zuul-output/logs
"""
FETCH = """\
- set_fact: {log_path: "{{ zuul.executor.log_root }}"}
- set_fact: {log_path: "{{ zuul.executor.log_root }}/{{ inventory_hostname }}"}
  when: groups['all'] | length > 1
- file: {path: "{{ item }}", state: directory}
  delegate_to: localhost
  with_items: ["{{ log_path }}", "{{ zuul.executor.work_root }}/artifacts"]
- ansible.posix.synchronize:
    {mode: pull, src: "{{ ansible_user_dir }}/zuul-output/logs/", dest: "{{ log_path }}/", owner: false, group: false}
- synchronize:
    mode: pull
    src: "{{ ansible_user_dir }}/zuul-output/artifacts/"
    dest: "{{ zuul.executor.work_root }}/artifacts/"
    verify_host: true
"""
#: A repository that is itself a role.
GREET = "demo/ansible-role-greet"
FILES = {
    "pre.yaml": PRE,
    "run.yaml": RUN,
    "post.yaml": POST,
    "roles/prepare/tasks/main.yaml": PREPARE,
    "roles/prepare/files/tool.sh": "echo a tool",
    "roles/keys/tasks/main.yaml": KEYS,
    "roles/mirror/tasks/main.yaml": MIRROR,
    "roles/output/tasks/main.yaml": OUTPUT,
    "roles/stage/tasks/main.yaml": STAGE,
    "roles/fetch/tasks/main.yaml": FETCH,
}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoopbackHost]:
    with loopback_host(tmp_path_factory.mktemp("host")) as made:
        yield made


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("nodes", "sandbox", "kept"),
    [
        pytest.param(
            *(("large",), Sandbox.NONE, ["thing.tar", "unit.log"]),
            # Ansible takes half a minute for each kind, and what nodes without a sandbox are is asked elsewhere.
            marks=pytest.mark.skipif("GATEBOT_ZUUL_JOBS" not in os.environ, reason="make test-zuul-jobs runs it"),
        ),
        (("board",), Sandbox.AUTO, ["thing.tar", "unit.log"]),
        (("large", "large"), Sandbox.AUTO, ["node0/unit.log", "node1/unit.log", "thing.tar"]),
    ],
    ids=("bare", "ssh", "sandboxes"),
)
async def test_a_job_of_zuuls_roles_runs_on_every_kind_of_node(
    nodes: tuple[str, ...], sandbox: Sandbox, kept: list[str], tmp_path: Path, host: LoopbackHost
) -> None:
    boards = Source(Static([host.host()], Policy(str(tmp_path / "nodes")), site="h"))
    labels = {**LABELS, **site_labels({"board": {"provider": "boards"}}, {"boards": "static"})}
    specs = tuple(NodeSpec((f"node{number}",), label) for number, label in enumerate(nodes))
    frozen = job(
        script("run.yaml"), pre_run=(script("pre.yaml"),), post_run=(script("post.yaml"),), roles=(Role(GREET),)
    )
    async with workshop(tmp_path, sandbox, labels=labels, providers={"boards": boards}) as shop:
        given = shop.assignment(FILES, replace(frozen, nodes=specs), post_review=True)
        greet = shop.stores.make(GREET, {"tasks/main.yaml": "- command: echo a greeting\n"})
        given = replace(given, checkouts=(*given.checkouts, Checkout(GREET, "main", greet, GREET, required=False)))
        await shop.executor.assign(given)
        completed = await shop.reports.of(given.build, 500)
        text = shop.text(given.build)
        assert completed.result == "SUCCESS", text
        assert sorted(name for name, _ in completed.artifacts) == kept
        lines = [line.strip().rpartition("| ")[2] for line in text.splitlines()]
        assert [lines.count(line) for line in ("a tool", "Change", "of-the-executor", "a greeting")] == [len(nodes)] * 4
        assert sum("of-the-build (ED25519)" in line for line in lines) == (0 if sandbox is Sandbox.NONE else 1)
        logs = shop.logs.directory(given.build) / "artifacts"
        assert [(logs / name).read_text() for name in kept if name.startswith("node")] == list(
            (f"node{number}" for number in range(len(nodes))) if len(nodes) > 1 else ()
        )
