# SPDX-License-Identifier: Apache-2.0
"""Attacks on the executor by what a change brings: repositories that git acts on, files that are read, playbooks."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from gatebot.executor.workspace import Unusable, prepare
from gatebot.executor.workspace_order import Include, Order, Tree
from tests.fakes.executor import Stores, git, job, script
from tests.fakes.workshop import Workshop, workshop

GIT_TRICKS = {
    ".gitattributes": "* filter=evil diff=evil merge=evil text eol=lf\n",
    ".gitmodules": '[submodule "-u./payload"]\n\tpath = sub\n\turl = -u./payload\n\tupdate = !./payload\n',
    ".gitconfig": '[core]\n\tfsmonitor = ./payload\n\thooksPath = hooks\n[filter "evil"]\n\tsmudge = ./payload\n',
    "config": "[core]\n\tfsmonitor = ./payload\n",
    "hooks/post-checkout": "#!/bin/sh\ntouch {mark}\n",
    "HEAD": "ref: refs/heads/main\n",
    "objects/x": "",
    "refs/x": "",
    "payload": "#!/bin/sh\ntouch {mark}\n",
}
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)
MERGES = "a: &a {b: 1}\n" + "".join(
    f"{name}: &{name} {{<<: [{', '.join([f'*{before}'] * 10)}]}}\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)


def order(root: Path, *trees: Tree, includes: tuple[Include, ...] = ()) -> Order:
    return Order(str(root / "layer"), trees, ("home/job",), includes)


def tree(stores: Stores, project: str, commit: str, target: str) -> Tree:
    return Tree(project, stores.locate(project), "main", commit, target)


def test_nothing_of_a_repository_is_run_when_it_is_checked_out(tmp_path: Path) -> None:
    stores, mark = Stores(tmp_path / "stores"), tmp_path / "mark"
    commit = stores.make("demo/api", {name: text.format(mark=mark) for name, text in GIT_TRICKS.items()})
    prepare(order(tmp_path, tree(stores, "demo/api", commit, "home/job/src/api")), tmp_path / "mirrors")
    own = tmp_path / "layer/home/job/src/api"
    assert {str(path.relative_to(own)) for path in own.rglob("*") if path.is_file() and ".git/" not in f"{path}"} == {
        *GIT_TRICKS
    }
    assert not mark.exists()
    assert "payload" not in (own / ".git/config").read_text()
    assert not (own / ".git/objects/info/alternates").exists()
    assert not list((own / ".git").glob("hooks/*"))


@pytest.mark.parametrize("target", ["{outside}", "../../../../outside", ".git", ".", "/etc"])
def test_a_link_in_the_place_of_another_repository_leads_nowhere(tmp_path: Path, target: str) -> None:
    """`demo/api` has a link where `demo/api/lib` is to be checked out, and would have that written where it leads."""
    stores, outside = Stores(tmp_path / "stores"), tmp_path / "outside"
    outside.mkdir()
    inner = stores.make("demo/lib", {"file": "text"})
    stores.make("demo/api", {"file": "text"})
    work = stores.root / "work/demo/api"
    (work / "lib").symlink_to(target.format(outside=outside))
    outer = stores.commit("demo/api", {})
    git("push", "-q", stores.locate("demo/api"), "main", cwd=work)
    trees = (
        tree(stores, "demo/api/lib", inner, "home/job/src/demo/api/lib"),
        tree(stores, "demo/api", outer, "home/job/src/demo/api"),
    )
    (stores.root / "demo/api").mkdir()
    os.rename(stores.locate("demo/lib"), stores.locate("demo/api/lib"))
    with pytest.raises(Unusable, match="demo/api/lib: its place in the workspace is a link of another repository"):
        prepare(order(tmp_path, *trees), tmp_path / "mirrors")
    assert list(outside.iterdir()) == []
    assert not Path("/etc/.git").exists()


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("bomb.yaml", BOMB, "written out, it has more than"),
        ("merges.yaml", MERGES, "written out, it has more than"),
        ("circle.yaml", "&a {b: *a}\n", "written out, it has more than"),
        ("deep.yaml", "{a: " * 3000 + "1" + "}" * 3000, "deep.yaml: "),
        ("large.yaml", "a: " + "x" * (9 << 20), "written out, it has more than"),
        ("code.yaml", "a: !!python/object/apply:os.system [id]\n", "could not determine a constructor"),
        ("list.yaml", "[a]\n", "its content is no table"),
        ("binary.yaml", "\x01", "control characters are not allowed"),
    ],
)
def test_a_file_of_variables_that_is_a_trap_is_refused(tmp_path: Path, name: str, text: str, why: str) -> None:
    stores = Stores(tmp_path / "stores")
    commit = stores.make("demo/api", {name: text})
    own = tree(stores, "demo/api", commit, "home/job/src/api")
    with pytest.raises(Unusable, match=why):
        prepare(order(tmp_path, own, includes=(Include(f"home/job/src/api/{name}", name),)), tmp_path / "mirrors")


def test_a_file_of_variables_that_is_a_link_to_the_machine_is_not_there(tmp_path: Path) -> None:
    stores, secret = Stores(tmp_path / "stores"), tmp_path / "secret.yaml"
    secret.write_text("password: s3cret\n")
    stores.make("demo/api", {"file": ""})
    work = stores.root / "work/demo/api"
    (work / "vars.yaml").symlink_to(secret)
    (work / "up.yaml").symlink_to("../../../../../secret.yaml")
    commit = stores.commit("demo/api", {})
    git("push", "-q", stores.locate("demo/api"), "main", cwd=work)
    own = tree(stores, "demo/api", commit, "home/job/src/api")
    for name in ("vars.yaml", "up.yaml", "../../../../secret.yaml"):
        with pytest.raises(Unusable, match="there is no such file"):
            prepare(order(tmp_path, own, includes=(Include(f"home/job/src/api/{name}", name),)), tmp_path / "mirrors")


PLAYBOOK = """\
- hosts: all
  gather_facts: false
  tasks:
    - debug: {{msg: "pipe {{{{ lookup('pipe', 'id -u; cat {secret} 2>&1; true') }}}}"}}
    - debug: {{msg: "file {{{{ lookup('file', '{secret}', errors='ignore') }}}}"}}
    - shell: "echo delegated $(id -u); cat {secret}"
      delegate_to: localhost
      ignore_errors: true
      register: one
    - debug: {{msg: "{{{{ one.stdout }}}} {{{{ one.stderr }}}}"}}
    - local_action: {{module: ansible.builtin.copy, content: escaped, dest: "{secret}"}}
      ignore_errors: true
    - add_host: {{name: outside, ansible_connection: local, ansible_become: true}}
    - shell: "echo added $(id -u); cat {secret}"
      delegate_to: outside
      ignore_errors: true
"""


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncGenerator[Workshop]:
    async with workshop(tmp_path) as made:
        yield made


async def test_a_playbook_that_runs_things_where_ansible_runs_is_still_in_the_sandbox(
    shop: Workshop, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the machine's")
    secret.chmod(0o666)
    given = shop.assignment({"play.yaml": PLAYBOOK.format(secret=secret)}, job(script("play.yaml"), label="large"))
    await shop.run(given)
    text = shop.text(given.build)
    assert "pipe 1000" in text
    assert "delegated 1000" in text
    assert "the machine's" not in text
    assert "No such file or directory" in text
    assert secret.read_text() == "the machine's"
