# SPDX-License-Identifier: Apache-2.0
"""What operators ask over REST: what is remembered, what runs, stores packed again, commits banned."""

from __future__ import annotations

import asyncio
import base64

from gatebot.expressions import compiled
from gatebot.review.model import Change
from tests.fakes.rest_client import RestClient
from tests.fakes.review_house import ANN, ReviewHouse

P, CACHES, TASKS = "/projects/demo%2Fapi", "/config/server/caches", "/config/server/tasks"


async def test_caches_are_those_that_there_are_and_are_forgotten_when_asked(rest: RestClient) -> None:
    compiled("ab+")
    compiled("ab+")
    found = await rest.get(f"{CACHES}/", "root")
    assert {"expressions.compiled", "review.files.kept", "words.say"} & set(found) >= {
        "expressions.compiled", "review.files.kept"
    }  # fmt: skip
    one = await rest.get(f"{CACHES}/expressions.compiled", "root")
    assert (one["name"], one["type"]) == ("expressions.compiled", "MEM")
    assert one["entries"]["mem"] >= 1
    assert 0 < one["hit_ratio"]["mem"] <= 100
    assert await rest.get(f"{CACHES}/?format=LIST", "root") == sorted(found)
    lines = base64.b64decode(await rest.get(f"{CACHES}/?format=TEXT_LIST", "root")).decode().split("\n")
    assert lines == sorted(found)
    assert await rest("root", "POST", f"{CACHES}/", {"operation": "FLUSH", "caches": ["expressions.compiled"]}) == ""
    empty: dict[str, object] = {"name": "expressions.compiled", "type": "MEM", "entries": {}, "hit_ratio": {}}
    assert await rest.get(f"{CACHES}/expressions.compiled", "root") == empty
    compiled("ab+")
    await rest("root", "POST", f"{CACHES}/", {"operation": "FLUSH_ALL"})
    assert compiled.cache_info().currsize == 0
    await rest("root", "POST", f"{CACHES}/expressions.compiled/flush")
    none = "There is no cache none here. GET config/server/caches/ lists them."
    assert await rest("root", "POST", f"{CACHES}/", {"operation": "FLUSH", "caches": ["none"]}, 422) == none
    assert await rest("root", "POST", f"{CACHES}/none/flush", status=404) == none
    for wrong in ({"operation": "FLUSH"}, {"operation": "NONSENSE"}, {}):
        await rest("root", "POST", f"{CACHES}/", wrong, 400)
    await rest.get(f"{CACHES}/?format=JSON", "root", 400)
    for who, status in (("ann", 403), ("", 401)):
        await rest.get(f"{CACHES}/", who, status)
        await rest(who, "POST", f"{CACHES}/", {"operation": "FLUSH_ALL"}, status)


async def test_what_runs_is_told_to_its_owner_and_to_who_maintains_the_server(rest: RestClient) -> None:
    begun = asyncio.Event()

    async def work() -> None:
        with rest.room.tasks.running("gerrit  query\nstatus:open", "SSH", account=ANN):
            begun.set()
            await asyncio.Event().wait()

    working, serving = asyncio.create_task(work()), asyncio.create_task(asyncio.Event().wait(), name="mirror of far")
    await begun.wait()
    (mine,) = await rest.get(f"{TASKS}/")
    assert (mine["command"], mine["state"], mine["queue_name"]) == ("gerrit query status:open", "RUNNING", "SSH")
    assert mine["start_time"].endswith("000")
    everything = {one["command"]: one for one in await rest.get(f"{TASKS}/", "root")}
    assert everything["gerrit query status:open"] == mine
    theirs = everything["mirror of far"]["id"]
    assert await rest("root", "DELETE", f"{TASKS}/{theirs}", status=409) == (
        "The task mirror of far is the server's own work and ends with it; commands and the packing of stores can be "
        "stopped."
    )
    assert await rest.get(f"{TASKS}/", "bob") == []
    for hidden in (mine["id"], theirs):
        assert "There is no task" in await rest("bob", "DELETE", f"{TASKS}/{hidden}", status=404)
    await rest.get(f"{TASKS}/", "", 401)
    assert await rest.get(f"{TASKS}/{mine['id']}") == mine
    await rest("ann", "DELETE", f"{TASKS}/{mine['id']}", status=204)
    await asyncio.wait([working])
    assert working.cancelled()
    assert await rest.get(f"{TASKS}/") == []
    serving.cancel()


async def test_a_store_is_packed_and_loses_nothing(rest: RestClient, house: ReviewHouse, change: Change) -> None:
    loose = house.commit("demo/api", {"x": "x\n"}, "Borrowed by a queue\n")
    before = await rest.get(f"{P}/statistics.git", "root")
    assert before["number_of_loose_objects"] > 3
    said = await rest("root", "POST", f"{P}/gc", {"show_progress": True})
    assert said == (
        'collecting garbage for "demo/api":\npack references: done\npack objects: done\n'
        "write the graph of commits: done\nGarbage collection completed successfully."
    )
    after = await rest.get(f"{P}/statistics.git", "root")
    assert (after["number_of_pack_files"], after["number_of_loose_refs"]) == (1, 0)
    assert after["number_of_packed_refs"] == before["number_of_loose_refs"]
    assert after["number_of_packed_objects"] == before["number_of_loose_objects"] - after["number_of_loose_objects"]
    assert house.repositories.commit("demo/api", loose).subject == "Borrowed by a queue"
    assert await rest("root", "POST", f"{P}/gc", {"aggressive": True}) == "Garbage collection completed successfully."
    await rest("root", "POST", f"{P}/gc", {"async": True}, 202)
    await asyncio.gather(*(one for one in asyncio.all_tasks() if one.get_name() == "gc demo/api"))
    await rest("ann", "POST", f"{P}/gc", {}, 403)
    await rest("", "POST", f"{P}/gc", {}, 401)
    await rest("root", "POST", "/projects/none/gc", {}, 404)
    await rest("root", "POST", f"{P}/index.changes", {}, 202)
    await rest("ann", "POST", f"{P}/index", {}, 403)


async def test_commits_are_banned_by_owners(rest: RestClient, house: ReviewHouse, change: Change) -> None:
    bad = house.commit_of(change)
    body = {"commits": [bad], "reason": "leak"}
    await rest("ann", "PUT", f"{P}/ban", body, 403)
    assert await rest("root", "PUT", f"{P}/ban", body) == {"newly_banned": [bad]}
    assert await rest("root", "PUT", f"{P}/ban", body) == {"already_banned": [bad]}
    assert await rest("root", "PUT", f"{P}/ban", {}) == {}
    await rest("root", "PUT", f"{P}/ban", {"commits": ["f" * 40]}, 422)


async def test_what_the_server_has_for_everybody_is_told_to_everybody(rest: RestClient) -> None:
    told = await rest.get("/config/server/capabilities", "")
    assert told["viewCaches"] == {"id": "viewCaches", "name": "View Caches"}
    assert told["runGC"]["name"] == "Run Garbage Collection"
    assert {"queryLimit", "bypassGate"} <= set(told)
    assert await rest.get("/config/server/top-menus", "") == []
    assert (await rest.get("/config/server/preferences", ""))["changes_per_page"] == 25
    assert (await rest.get("/config/server/preferences.diff", ""))["context"] == 10
    assert (await rest.get("/config/server/preferences.edit", ""))["indent_unit"] == 2
    load = await rest.get("/config/server/summary", "root")
    assert load["task_summary"]["total"] == load["task_summary"]["running"]
    assert load["mem_summary"]["used"].endswith("m")
    for who, status in (("ann", 403), ("", 401)):
        await rest.get("/config/server/summary", who, status)


async def test_a_list_says_which_of_its_parameters_are_not_there(rest: RestClient, change: Change) -> None:
    assert await rest.get("/changes/?q=is:open&limt=5", status=400) == (
        '"--limt" is not a valid option. The options are allow-incomplete-results, limit, n, no-limit, o, O, q, query, '
        "S, skip-visibility, start."
    )
    for path in ("/projects/?x", "/accounts/?q=ann&x=1", "/groups/?x=1"):
        assert (await rest.get(path, status=400)).startswith('"-x" is not a valid option. ')
    for path in (
        "/changes/?query=is:open&limit=5&start=0&o=LABELS&O=1&no-limit&pp=1&trace=x&lang=ko",
        "/projects/?all&d&t&type=ALL&m=demo&b=main&n=5&S=0&pp=0&format=JSON&plugin~x=1",
        "/accounts/?suggest&q=ann&n=2&o=DETAILS", "/groups/?owned&m=core&o=MEMBERS", "/changes/1?x=1",
    ):  # fmt: skip
        await rest.get(path)
