# SPDX-License-Identifier: Apache-2.0
"""The roles of zuul-jobs that most jobs share, unmodified, on real nodes: `make test-zuul-jobs ZUUL_JOBS=CHECKOUT`.

None of that repository's code is here; what its roles count on is shown in tests/shells/test_zuul_roles.py.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from gatebot.assignment import Checkout, NodeSpec, Role
from gatebot.executor.model import MIB
from tests.fakes.executor import Stores, job, script
from tests.fakes.workshop import LABELS, workshop

PATIENCE = 600.0
ROLES = "zuul/zuul-jobs"
BASE = """\
- hosts: localhost
  roles:
    - emit-job-header
    - log-inventory
- hosts: all
  roles: [validate-host, prepare-workspace, add-build-sshkey, ensure-output-dirs]
"""
PRE = """\
- hosts: all
  roles: [prepare-workspace-git, mirror-workspace-git-repos, ensure-pip, ensure-tox]
  post_tasks:
    - include_role: {name: bindep}
      vars: {bindep_command: "true"}
"""
RUN = """\
- hosts: all
  gather_facts: false
  roles: [tox]
"""
POST = """\
- hosts: all
  roles: [stage-output, fetch-output, remove-build-sshkey]
"""
TOX = """\
[tox]
skipsdist = true
[testenv]
allowlist_externals = sh
commands = sh -c 'echo checked > unit.log; echo checked.py:1:1: E999 so it is'
"""
FILES = {
    "base.yaml": BASE,
    "pre.yaml": PRE,
    "run.yaml": RUN,
    "post.yaml": POST,
    "tox.ini": TOX,
    "checked.py": "",
    "bindep.txt": "git\n",
}
SAYS = {
    "tox_envlist": "py3",
    "tox_install_siblings": False,
    "zuul_copy_output": {"{{ zuul.project.src_dir }}/unit.log": "logs"},
    "stage_compress_logs": False,
}
pytestmark = pytest.mark.timeout(900)
CHECKOUT = Path(os.environ.get("GATEBOT_ZUUL_JOBS", "/nowhere"))


def copied(stores: Stores) -> Checkout:
    """The roles as a repository of the site."""
    paths = [path for path in CHECKOUT.glob("roles/**/*") if path.is_file() and "__pycache__" not in path.parts]
    commit = stores.make(ROLES, {str(path.relative_to(CHECKOUT)): path.read_text("utf-8") for path in paths})
    return Checkout(ROLES, "main", commit, ROLES, required=False)


@pytest.mark.skipif(not CHECKOUT.exists(), reason="it needs a checkout of zuul-jobs: make test-zuul-jobs ZUUL_JOBS=...")
@pytest.mark.parametrize("count", [1, 2], ids=("one node", "two nodes"))
async def test_a_job_of_the_roles_of_zuul_jobs_succeeds(count: int, tmp_path: Path) -> None:
    labels = {**LABELS, "mirrors": replace(LABELS["mirrors"], memory=1024 * MIB, disk=1024 * MIB, processes=512)}
    frozen = job(
        script("run.yaml"),
        nodes=tuple(NodeSpec((f"node{number}",), "mirrors") for number in range(count)),
        pre_run=(script("base.yaml"), script("pre.yaml")),
        post_run=(script("post.yaml"),),
        roles=(Role(ROLES),),
        vars=SAYS,
    )
    async with workshop(tmp_path, labels=labels) as shop:
        given = shop.assignment(FILES, frozen)
        given = replace(given, checkouts=(*given.checkouts, copied(shop.stores)))
        await shop.executor.assign(given)
        completed = await shop.reports.of(given.build, PATIENCE)
        text = shop.text(given.build)
        print(text)
        assert completed.result == "SUCCESS", text
        kept = {name for name, _ in completed.artifacts}
        assert {"zuul-info/inventory.json", "zuul-info/zuul-info.node0.txt"} <= kept
        assert {"unit.log", "node0/unit.log"} & kept
        assert '"message": "py3: E999 so it is"' in completed.data
