# SPDX-License-Identifier: Apache-2.0
"""Playbooks on the real executor: variables, secrets, early failure, what is returned, what still runs at the end."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from gatebot.assignment import IncludeVars, NodeSpec, SecretRef
from gatebot.words import say
from tests.fakes.executor import PROJECT, job, script
from tests.fakes.workshop import Workshop, workshop

HEAD = "- hosts: all\n  gather_facts: false\n  tasks:\n"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Workshop]:
    async with workshop(tmp_path) as made:
        yield made


def task(line: str) -> str:
    return f"    - {line}\n"


@pytest.mark.zuul(19)
async def test_a_failed_task_is_told_while_its_rescueless_block_still_tidies_up(shop: Workshop) -> None:
    playbook = (
        HEAD
        + "    - block: [{command: 'false'}]\n      rescue: [{debug: {msg: rescued}}]\n"
        + "    - {command: 'false', ignore_errors: true}\n"
        + "    - {command: mkfifo pipe, args: {chdir: '{{ zuul.project.src_dir }}'}}\n"
        + "    - block: [{fail: {msg: broken}}]\n"
        + "      always: [{shell: 'read line < pipe', args: {chdir: '{{ zuul.project.src_dir }}'}}]\n"
    )
    given = shop.assignment({"run.yaml": playbook}, job(script("run.yaml"), label="large", timeout=60))
    await shop.executor.assign(given)
    await shop.reports.failed(given.build)
    assert [say(reason) for reason in shop.reports.failings] == [
        "A task of the step run run.yaml failed; what comes after it cannot make the build succeed."
    ]
    assert given.build not in shop.reports.completions
    await shop.executor.abort(given.build, given.fence)
    await shop.reports.of(given.build)
    assert "rescued" in shop.text(given.build)


@pytest.mark.zuul(20)
async def test_a_line_that_means_failure_counts_at_once_and_in_the_end(shop: Workshop) -> None:
    completed, _ = await shop.script("echo DOOMED; echo goes on", failure_output=("^DOOMED$",))
    assert completed.result == "FAILURE"
    assert completed.reason is not None
    assert say(completed.reason) == "The job printed a line that means failure: DOOMED"
    assert (completed.error_line, completed.error_text) == (2, "DOOMED")


@pytest.mark.zuul(21)
async def test_a_failing_pre_run_tells_no_early_failure_and_is_tried_again(shop: Workshop) -> None:
    given = shop.assignment(
        {"pre.sh": "#!/bin/sh\necho DOOMED; exit 1\n", "run.sh": "#!/bin/sh\n"},
        job(pre_run=(script("pre.sh"),), failure_output=("DOOMED",)),
    )
    completed = await shop.run(given)
    assert (completed.result, completed.retry, shop.reports.failings) == ("RETRY", True, [])


@pytest.mark.zuul(22)
async def test_a_host_that_is_not_reached_asks_for_another_attempt_unless_a_task_failed_before(shop: Workshop) -> None:
    gone = {"two": {"ansible_connection": "ssh", "ansible_port": 1}}
    frozen = replace(job(script("run.yaml"), host_vars=gone), nodes=(NodeSpec(("one", "two"), "large"),))
    post = HEAD.replace("hosts: all", "hosts: all:!zuul_unreachable") + task("debug: {var: groups.zuul_unreachable}")
    files = {"run.yaml": HEAD + task("command: 'true'"), "post.yaml": post}
    lost = await shop.run(shop.assignment(files, replace(frozen, post_run=(script("post.yaml"),))))
    text = shop.text(lost.build)
    assert (lost.result, lost.retry) == ("RETRY", True), text
    assert text.count("fatal: [two]") == 1
    assert "RECAP one: 1 ok" in text.partition("post-run: ")[2]
    assert shop.reports.failings == []
    failing = HEAD + task("{fail: {msg: broken}, when: inventory_hostname == 'one'}") + task("command: 'true'")
    failed = await shop.run(shop.assignment({"run.yaml": failing}, frozen))
    assert (failed.result, failed.retry) == ("FAILURE", False), shop.text(failed.build)
    assert failed.reason is not None
    assert say(failed.reason).startswith("A task of the step run run.yaml failed;")


async def test_variables_come_in_zuuls_order_and_texts_of_people_are_never_templates(shop: Workshop) -> None:
    playbook = HEAD + task("debug: {msg: '{{ a }} {{ b }} {{ c }} {{ d }} {{ e }} {{ f.x }}{{ f.y }}'}")
    playbook += task("debug: {msg: '{{ gift }} {{ zuul.change_message }} {{ unsafe_vars.d }}'}")
    playbook += "    - debug: {msg: 'it is {{ item.key }}'}\n      with_items: ['{{ named | dict2items }}', "
    playbook += "'{{ gifts | dict2items }}']\n"
    frozen = replace(
        job(
            script("run.yaml"),
            vars={"a": "job", "b": "job", "d": "{{ a | upper }}", "f": {"y": 2}, "named": {"{{ a }}.log": "logs"}},
            extra_vars={"e": "extra", "c": "extra"},
            host_vars={"node": {"b": "host", "c": "host"}},
            include_vars=(IncludeVars("vars.yaml"), IncludeVars("gone.yaml", required=False)),
        ),
        nodes=(NodeSpec(("node",), "large"),),
    )
    files = {"run.yaml": playbook, "vars.yaml": "a: file\nf: {x: 1, y: 1}\n"}
    given = shop.assignment(files, frozen, inherited={"gift": "{{ 6 * 7 }}", "gifts": {"{{ 6 * 7 }}": 1}})
    given = replace(given, changes=tuple(replace(one, message="{{ 6 * 7 }}") for one in given.changes))
    completed = await shop.run(given)
    text = shop.text(given.build)
    assert completed.result == "SUCCESS", text
    assert "    job host extra JOB extra 12" in text
    assert "    {{ 6 * 7 }} {{ 6 * 7 }} {{ a | upper }}" in text
    assert "    it is job.log\n" in text
    assert "    it is {{ 6 * 7 }}\n" in text


async def test_a_file_of_variables_that_is_needed_and_not_there_is_an_error_with_the_remedy(shop: Workshop) -> None:
    completed = await shop.run(shop.assignment({"run.sh": "#!/bin/sh\n"}, job(include_vars=(IncludeVars("x.yaml"),))))
    assert completed.result == "ERROR"
    assert completed.reason is not None
    assert say(completed.reason) == (
        "A file of variables that the job includes cannot be used: demo/api x.yaml: there is no such file. "
        "Correct the file, or write `required: false` in include-vars."
    )


async def test_a_job_variable_cannot_read_a_secret_that_a_playbook_is_given(shop: Workshop) -> None:
    playbook = (
        HEAD + task("debug: {msg: 'note {{ note }} {{ more }}'}") + task("debug: {msg: '{{ login.token | length }}'}")
    )
    book = replace(script("run.yaml"), secrets=(SecretRef("login", "upload", PROJECT),))
    hostile = {
        "note": "{{ login.token | reverse }}",
        "more": "{{ lookup('file', '/run/gatebot/secrets.json') | b64encode }}",
    }
    given = shop.assignment(
        {"run.yaml": playbook}, job(book, label="large", vars=hostile), secrets={"upload": {"token": "s3cret-value"}}
    )
    completed = await shop.run(given)
    text = shop.text(given.build)
    assert completed.result == "SUCCESS", text
    assert "    note {{ login.token | reverse }} {{ lookup('file'" in text
    assert "    12\n" in text


async def test_a_job_that_prints_its_secret_fails_where_it_says_so(shop: Workshop) -> None:
    book = replace(script(), secrets=(SecretRef("login", "upload", PROJECT),))
    frozen = job(book, secret_exposure="fail", post_run=(script("post.sh"),))
    files = {"run.sh": '#!/bin/sh\necho "$GATEBOT_SECRETS"; sleep 60\n', "post.sh": "#!/bin/sh\necho after\n"}
    completed = await shop.run(shop.assignment(files, frozen, secrets={"upload": {"token": "s3cret-value"}}))
    assert completed.result == "SECRET_EXPOSURE"
    assert "s3cret" not in shop.text(completed.build)
    assert "after" not in shop.text(completed.build).splitlines()


@pytest.mark.zuul(109)
async def test_everything_that_zuul_return_knows_comes_back_and_lists_are_added_to(shop: Workshop) -> None:
    playbook = HEAD
    playbook += task(
        "zuul_return: {data: {a: {x: 1}, zuul: {artifacts: [{name: one, url: 'http://1/'}], warnings: [w1]}}}"
    )
    playbook += task(
        "zuul_return: {data: {a: {y: 2}, zuul: {artifacts: [{name: two, url: 'http://2/'}], child_jobs: [deploy],"
        " warnings: [w2], log_url: 'http://logs/', file_comments: {f.py: [{line: 3, message: bad}]}}},"
        " secret_data: {key: s3cret}}"
    )
    playbook += task("zuul_return: {data: {zuul: {redactions: [hushhush]}}}")
    files = {"run.yaml": playbook, "post.sh": "#!/bin/sh\necho it is hushhush\n"}
    given = shop.assignment(files, job(script("run.yaml"), label="large", post_run=(script("post.sh"),)))
    completed = await shop.run(given)
    assert completed.result == "SUCCESS", shop.text(given.build)
    assert "it is *****" in shop.text(given.build).splitlines()
    assert "hushhush" not in repr(completed)
    assert completed.artifacts == (("one", "http://1/"), ("two", "http://2/"))
    assert completed.child_jobs == ("deploy",)
    data = json.loads(completed.data)
    assert data["a"] == {"x": 1, "y": 2}
    assert data["zuul"]["warnings"] == ["w1", "w2"]
    assert data["zuul"]["file_comments"] == {"f.py": [{"line": 3, "message": "bad"}]}
    assert "s3cret" not in repr(completed)
    assert shop.reports.secrets == {given.build: {"key": "s3cret"}}


async def test_an_aborted_build_still_runs_what_cleans_up_and_nothing_else(shop: Workshop) -> None:
    files = {
        "run.sh": "#!/bin/sh\nsleep 60\n",
        "post.sh": "#!/bin/sh\necho post\n",
        "tidy.sh": "#!/bin/sh\necho tidy $GATEBOT_SUCCESS\n",
    }
    frozen = job(post_run=(script("post.sh"), replace(script("tidy.sh"), cleanup=True)))
    given = shop.assignment(files, frozen)
    await shop.executor.assign(given)
    await shop.reports.begun(given.build)
    await shop.executor.abort(given.build, given.fence)
    completed = await shop.reports.of(given.build)
    lines = shop.text(given.build).splitlines()
    assert completed.result == "ABORTED"
    assert "tidy false" in lines
    assert "post" not in lines


ALL = ["./ci/deep/more.txt", "./ci/run.sh", "./roles/r/tasks/main.yml", "./src/code.py", "./top.txt"]


@pytest.mark.parametrize(
    ("checkout", "label", "files"),
    [
        (True, "small", ALL),
        (None, "", ALL),
        (None, "small", [name for name in ALL if name != "./src/code.py"]),
        (False, "", [name for name in ALL if name != "./src/code.py"]),
    ],
)
async def test_a_workspace_has_the_files_that_the_job_asks_for_and_all_others_a_command_away(
    shop: Workshop, checkout: bool | None, label: str, files: list[str]
) -> None:
    look = "find . -type f -not -path './.git/*' | sort"
    script_text = f"#!/bin/sh\n{look}\ngit status --short\ngit sparse-checkout disable\necho then\n{look}\n"
    given = {name.removeprefix("./"): "x\n" for name in ALL} | {"ci/run.sh": script_text}
    frozen = job(script("ci/run.sh"), label=label, workspace_checkout=checkout)
    completed = await shop.run(shop.assignment(given, frozen))
    text = shop.text(completed.build)
    assert completed.result == "SUCCESS", text
    found, _, then = text.partition("\nthen\n")
    assert [line for line in found.splitlines() if line.startswith("./")] == files
    assert then.splitlines()[: len(ALL)] == ALL
    assert " D " not in found


async def test_flat_workspaces_are_as_the_job_asks(shop: Workshop) -> None:
    frozen = job(workspace_scheme="flat")
    completed = await shop.run(shop.assignment({"run.sh": "#!/bin/sh\npwd\n"}, frozen))
    assert "/home/job/src/api" in shop.text(completed.build).splitlines()


async def test_the_log_shows_values_and_the_report_tells_which_task_failed_and_what_it_said(shop: Workshop) -> None:
    playbook = (
        HEAD
        + task("debug: {var: zuul.project.name}")
        + task("debug: {var: seen}")
        + task("debug: {msg: [one, {two: 2}]}")
        + task("{command: 'false {{ item }}', loop: [x], ignore_errors: true}")
        + task("{command: 'ls {{ item }}', loop: [/etc/hostname, /nowhere]}")
    )
    frozen = job(script("run.yaml"), label="large", vars={"seen": {"deep": [True]}})
    given = shop.assignment({"run.yaml": playbook}, frozen)
    completed = await shop.run(given)
    text = shop.text(given.build)
    assert "  node: ok\n    zuul.project.name: demo/api\n" in text
    assert '    seen: {\n      "deep": [\n        true\n      ]\n    }\n' in text
    assert '    [\n      "one",\n      {\n        "two": 2\n      }\n    ]\n' in text
    assert "  node: failed, ignored (x)\n" in text
    said = "ls: cannot access '/nowhere': No such file or directory"
    assert completed.error_text == f"fatal: [node]: (/nowhere) FAILED! exit code 2: {said}"


async def test_the_first_error_is_of_the_first_step_that_failed_and_not_of_those_that_passed(shop: Workshop) -> None:
    says = "- hosts: all\n  gather_facts: false\n  tasks: [{debug: {msg: all is well}}]\n"
    files = {"run": "#!/bin/sh\necho ERROR: no, only words\n", "broken": "#!/bin/sh\necho It broke.\nexit 3\n"}
    files |= {"after.yaml": says, "worse": "#!/bin/sh\necho 'fatal: later' >&2\nexit 4\n"}
    after = (script("broken"), script("after.yaml"), script("worse"))
    given = shop.assignment(files, job(script("run"), label="large", post_run=after))
    completed = await shop.run(given)
    assert completed.result == "POST_FAILURE"
    assert completed.error_text == "It broke."
