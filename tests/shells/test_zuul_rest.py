# SPDX-License-Identifier: Apache-2.0
"""Zuul's REST below `/api/tenant/main/`: what it answers, to whom, and what is asked of queues through it."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from gatebot.events import DequeueRequested, EnqueueRequested, Event, PromoteRequested
from gatebot.events import RefDequeueRequested as RefDequeued
from gatebot.events import RefEnqueueRequested as RefEnqueued
from gatebot.journal import read_in
from tests.fakes.pages import WebHouse
from tests.fakes.pipeline_house import PipelineHouse

ASKED = (EnqueueRequested, DequeueRequested, PromoteRequested, RefEnqueued, RefDequeued)
AT = "/api/tenant/main"


async def get(web: WebHouse, path: str, status: int = 200) -> Any:
    async with web.client.get(AT + path) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def post(web: WebHouse, who: str, path: str, body: dict[str, object]) -> tuple[int, Any]:
    account = await web.house.identity.by_username(who)
    assert account is not None
    token = await web.house.identity.create_token(account.id, uuid4().hex)
    async with web.client.post(path, json=body, headers={"Authorization": f"Bearer {token}"}) as answer:
        return answer.status, await answer.json(content_type=None)


def asked(house: PipelineHouse) -> list[Event]:
    return [entry.event for entry in house.review.read(read_in, 0, ASKED)]


async def test_the_status_has_zuuls_form(web: WebHouse, house: PipelineHouse) -> None:
    one = house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    await house.passes(one.number)
    await house.approve(one)
    await house.settle()
    status = await get(web, "/status")
    gate = next(pipeline for pipeline in status["pipelines"] if pipeline["name"] == "gate")
    assert (gate["manager"], gate["state"]) == ("dependent", "normal")
    (queue,) = gate["change_queues"]
    assert (queue["name"], queue["window"]) == ("shared", 20)
    ((item,),) = queue["heads"]
    assert (item["live"], item["active"], item["item_ahead"], item["failing_reasons"]) == (True, True, None, [])
    assert item["refs"] == [
        {
            "id": "1,1",
            "ref": "refs/changes/01/1/1",
            "project": "api",
            "project_canonical": "api",
            "owner": "ann",
            "url": "https://review.example.org/c/api/+/1",
        }
    ]
    (job,) = item["jobs"]
    build = house.dispatch.of(1).build
    assert (job["name"], job["result"], job["voting"], job["uuid"]) == ("unit", None, True, build)
    assert [one["id"] for one in await get(web, "/status/change/1,1")] == [item["id"]]
    assert await get(web, "/status/change/1,2") == []


async def test_builds_and_buildsets_have_zuuls_form(web: WebHouse, house: PipelineHouse) -> None:
    house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    build = house.dispatch.of(1).build
    assert [node["comment"] for node in await get(web, "/nodes")] == ["unit"]
    (before,) = await get(web, "/buildsets")
    assert (before["result"], before["last_build_end_time"]) == (None, None)
    await house.passes(1)
    (row,) = await get(web, "/builds?project=api&job_name=unit&change=1&patchset=1&voting=1&result=SUCCESS")
    assert row == await get(web, f"/build/{build}")
    assert (row["uuid"], row["pipeline"], row["final"], row["held"]) == (build, "check", True, False)
    assert row["ref"] == {
        "project": "api",
        "branch": "main",
        "change": 1,
        "patchset": "1",
        "ref": "refs/changes/01/1/1",
        "oldrev": None,
        "newrev": None,
        "ref_url": "http://localhost:8470/c/api/+/1",
    }
    for miss in ("project=client", "job_name=x", "voting=false", "branch=x", "patchset=2", "uuid=x", "skip=1"):
        assert await get(web, f"/builds?{miss}") == []
    (found,) = await get(web, f"/buildsets?uuid={row['buildset']['uuid']}&project=api&pipeline=check")
    assert (found["result"], found["queue_item_uuid"]) == ("SUCCESS", row["queue_item_uuid"])
    whole = await get(web, f"/buildset/{found['uuid']}")
    assert [one["uuid"] for one in whole["builds"]] == [build]
    assert [one["uuid"] for one in await get(web, "/build-times")] == [build]
    assert await get(web, "/nodes") == []
    async with web.client.get(f"{AT}/badge?project=api&pipeline=check") as badge:
        assert badge.content_type == "image/svg+xml"
        assert ">passing<" in await badge.text()


async def test_what_is_configured_has_zuuls_form(web: WebHouse, house: PipelineHouse) -> None:
    async with web.client.get("/api/tenants") as answer:
        assert await answer.json() == [{"name": "main"}]
    async with web.client.get("/api/info") as answer:
        assert (await answer.json())["info"]["capabilities"]["job_history"] is True
    assert (await get(web, "/info"))["info"]["tenant"] == "main"
    assert [one["name"] for one in await get(web, "/pipelines")] == ["check", "gate", "post"]
    assert [(one["name"], one["type"]) for one in await get(web, "/projects")] == [
        ("api", "untrusted"), ("client", "untrusted"), ("gatebot-config", "config"),
    ]  # fmt: skip
    project = await get(web, "/project/api")
    assert project["metadata"] == {"merge_mode": None, "default_branch": "main", "queue_name": "shared"}
    (config,) = project["configs"]
    assert [(one["name"], one["jobs"][0][0]["name"]) for one in config["pipelines"]] == [
        ("check", "unit"), ("gate", "unit"),
    ]  # fmt: skip
    assert {"name": "unit", "variants": [{"parent": "base"}]} in await get(web, "/jobs")
    (job,) = await get(web, "/job/base")
    assert (job["name"], job["parent"], job["run"]) == ("base", None, [{"path": "run.sh"}])
    assert job["source_context"]["project"] == "gatebot-config"
    assert (await get(web, "/job/none", 404))["description"] == (
        "There is no job none in the tenant main. /jobs lists all."
    )
    assert await get(web, "/labels") == [{"name": "small"}]
    assert await get(web, "/semaphores") == []
    assert await get(web, "/config-errors") == []


async def test_what_a_branch_or_files_would_run_is_frozen(web: WebHouse, house: PipelineHouse) -> None:
    at = "/pipeline/gate/project/api/branch/main"
    assert await get(web, f"{at}/freeze-jobs") == [{"name": "unit", "dependencies": []}]
    job = await get(web, f"{at}/freeze-job/unit")
    assert (job["job"], job["nodeset"]["name"], job["parents"]) == ("unit", "", ["base"])
    assert [(book["project"], book["path"], book["trusted"]) for book in job["playbooks"]] == [
        ("gatebot-config", "run.sh", True)
    ]
    why = await get(web, f"{at}/freeze-jobs?why&file=README")
    assert ([one["name"] for one in why["jobs"]], why["skipped"], why["errors"]) == (["unit"], [], [])
    assert (await get(web, f"{at}/freeze-job/style", 404))["description"] == "The job style does not run there."
    assert (await get(web, "/pipeline/x/project/api/branch/main/freeze-jobs", 404))["description"] == (
        "There is no pipeline x here. There are: check, gate, post."
    )


async def test_keys_are_given_to_everybody_and_made_when_asked_for(web: WebHouse, house: PipelineHouse) -> None:
    async with web.client.get(f"{AT}/sealing-key/api.pub") as answer:
        sealing = await answer.text()
        assert (answer.status, answer.content_type, len(sealing)) == (200, "text/plain", 45)
    async with web.client.get(f"{AT}/sealing-key/api.pub") as again:
        assert await again.text() == sealing
    async with web.client.get(f"{AT}/sealing-key/none.pub") as missing:
        assert missing.status == 404
        assert (await missing.json())["description"] == (
            "There is no project none in the tenant main, or you may not see it."
        )


async def test_a_secret_that_cannot_be_decrypted_is_among_the_errors_of_the_configuration(
    web: WebHouse, house: PipelineHouse
) -> None:
    text = "- secret: {name: login, data: {password: !encrypted/gatebot-sealed AAAA}}\n"
    house.commit_to("client", {".zuul.yaml": text})
    await asyncio.to_thread(house.layouts.refresh)
    (error,) = await get(web, "/config-errors?project=client")
    assert error["short_error"].startswith("The secret login of client cannot be decrypted. client has no key pair")
    assert (error["source_context"]["path"], error["source_context"]["line"]) == (".zuul.yaml", 1)
    assert await get(web, "/config-errors?project=api") == []


async def test_enqueue_dequeue_and_promote_become_requests_of_those_who_may(
    web: WebHouse, house: PipelineHouse
) -> None:
    change = house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    project, bob = f"{AT}/project/api", (await house.identity.by_username("bob"))
    assert bob is not None
    refused, told = await post(web, "ann", f"{project}/enqueue", {"pipeline": "gate", "change": "1,1"})
    assert (refused, told["description"]) == (
        403,
        "This needs the permission enqueue on refs/heads/main of api. Ask an owner of the project or an administrator "
        "for it.",
    )
    await house.driver.kill()  # what is asked stays in the journal
    requests: list[tuple[str, dict[str, object], Event]] = [
        (f"{project}/enqueue", {"pipeline": "gate", "change": "1,1"}, EnqueueRequested(1, "gate", bob.id)),
        (f"{project}/dequeue", {"pipeline": "check", "change": "1"}, DequeueRequested(1, "check", bob.id)),
        (f"{AT}/promote", {"pipeline": "check", "changes": ["1,1"]}, PromoteRequested("check", (1,), bob.id)),
        (
            f"{project}/enqueue",
            {"pipeline": "post", "ref": "refs/heads/main", "oldrev": None, "newrev": "b" * 40},
            RefEnqueued("api", "refs/heads/main", "post", bob.id, new="b" * 40),
        ),
        (
            f"{project}/dequeue",
            {"pipeline": "post", "ref": "refs/heads/main"},
            RefDequeued("api", "refs/heads/main", "post", bob.id),
        ),
    ]
    for path, body, _ in requests:
        assert await post(web, "bob", path, body) == (200, True)
    assert asked(house) == [event for _, _, event in requests]
    # The owner of a change may take it out.
    assert change.owner == (await house.identity.by_username("ann")).id  # type: ignore[union-attr]
    assert (await post(web, "ann", f"{project}/dequeue", {"pipeline": "check", "change": "1,1"}))[0] == 200


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("/project/api/enqueue", {"pipeline": "gate", "change": "9,1"}, "There is no change 9, or you may not see it."),
        ("/project/client/enqueue", {"pipeline": "gate", "change": "1,1"}, "There is no change 1, or you may not"),
        ("/project/api/enqueue", {"pipeline": "gate", "change": "1,2"}, "Patch set 1 is the current one of change 1"),
        ("/project/api/enqueue", {"pipeline": "gate", "change": "x"}, "“x” names no change. Write its number"),
        ("/project/api/enqueue", {"pipeline": "none", "change": "1"}, "There are: check, gate, post."),
        ("/project/api/enqueue", {"pipeline": "gate"}, "Name the ref in the body"),
        ("/project/api/enqueue", {}, "Name the pipeline in the body"),
        ("/project/api/enqueue", {"pipeline": "post", "ref": "main"}, "Write main in full"),
        ("/project/none/enqueue", {"pipeline": "post", "ref": "refs/heads/main"}, "There is no project none"),
        ("/project/api/dequeue", {"pipeline": "gate", "change": "1"}, "Change 1 is not in gate."),
        ("/promote", {"pipeline": "gate", "changes": ["1,1"]}, "Change 1 is not in gate."),
        ("/promote", {"pipeline": "gate", "changes": []}, "Say which changes to promote"),
    ],
)
async def test_what_can_never_work_is_refused_at_once(
    web: WebHouse, house: PipelineHouse, path: str, body: dict[str, object], told: str
) -> None:
    house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    status, answer = await post(web, "bob", AT + path, body)
    assert status in (400, 404, 409)
    assert told in answer["description"]
    assert asked(house) == []


async def test_ours_say_in_a_sentence_what_comes_of_it(web: WebHouse, house: PipelineHouse) -> None:
    house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    status, answer = await post(web, "bob", "/api/change/1/dequeue", {"pipeline": "check"})
    assert (status, answer["sentence"]) == (
        202, "Change 1 leaves check; its builds are stopped, and what is behind it is tested without it.",
    )  # fmt: skip
    await house.settle()
    assert house.running == {}
    status, answer = await post(web, "bob", "/api/change/1/enqueue", {"pipeline": "check"})
    assert answer["sentence"] == (
        "Change 1 is being enqueued in check. If something is against it, that is said on the change."
    )
    await house.settle()
    assert house.running == {"check": [1]}
    status, answer = await post(web, "bob", "/api/promote", {"pipeline": "check", "changes": [1]})
    assert answer["sentence"].startswith("To the head of check, in this order: 1.")
