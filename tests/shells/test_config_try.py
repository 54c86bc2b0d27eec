# SPDX-License-Identifier: Apache-2.0
"""A change of configuration is tried before it is merged: programs and people hear of every graph that it alters."""

from __future__ import annotations

import asyncio
import re

import pytest

from gatebot.pipeline import layouts
from tests.fakes.pages import WebHouse
from tests.fakes.pipeline_house import PipelineHouse


async def tried(web: WebHouse, number: int, status: int = 200, query: str = "") -> object:
    async with web.client.get(f"/api/tenant/main/try/{number}{query}") as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def page(web: WebHouse, path: str, status: int = 200) -> str:
    """The words of a page, without its tags."""
    async with web.client.get(path) as answer:
        text = await answer.text()
        assert answer.status == status, text
        return " ".join(re.sub(r"<[^>]*>", " ", text).split())


def altered(house: PipelineHouse, before: str, after: str) -> dict[str, str]:
    text = house.content("gatebot-config", "zuul.yaml") or ""
    assert before in text
    return {"zuul.yaml": text.replace(before, after)}


@pytest.mark.zuul(127)
async def test_a_change_of_the_config_project_is_tried_for_every_project_and_used_nowhere(
    web: WebHouse, house: PipelineHouse
) -> None:
    files = altered(house, "name: base", "name: base, timeout: 77")
    change = house.push("gatebot-config", files, "Give jobs less time")
    assert await tried(web, change.number) == [
        {
            "project": project,
            "pipeline": pipeline,
            "branch": "main",
            "added": [],
            "removed": [],
            "changed": {"unit": ["timeout"]},
            "values": {"unit": {"timeout": ["-", "77"]}},
            "errors": [],
        }
        for project in ("api", "client")
        for pipeline in ("check", "gate")
    ]
    layout = house.layouts.current("main")
    assert layout is not None
    assert layout.jobs["base"][0].timeout is None


async def test_a_change_that_alters_no_configuration_changes_nothing(web: WebHouse, house: PipelineHouse) -> None:
    change = house.push("api", {"a.txt": "a"}, "Add a")
    assert await tried(web, change.number) == []
    assert "no job changes Every project runs the same jobs" in await page(web, f"/trial/{change.number}")
    assert "What it does to the jobs" not in await page(web, f"/c/api/+/{change.number}")
    assert await tried(web, 999, 404) == {
        "error": "404 NotFound",
        "description": "There is no change 999, or you may not see it.",
    }


async def test_the_page_of_a_change_of_configuration_leads_to_what_it_does_job_by_job(
    web: WebHouse, house: PipelineHouse
) -> None:
    change = house.push("gatebot-config", altered(house, "name: base", "name: base, timeout: 77"), "Give less time")
    path = f"/c/gatebot-config/+/{change.number}"
    async with web.client.get(path) as answer:
        text = await answer.text()
    assert f'<a data-part="trial" href="/trial/{change.number}?patch_set=1">Try this configuration</a>' in text
    told = await page(web, f"/trial/{change.number}?patch_set=1")
    assert "4 job graphs change of 2 projects" in told
    assert "changed unit timeout - → 77 4 graphs api check, main api gate, main client check, main" in told


async def test_a_change_of_file_matchers_is_told_with_both(web: WebHouse, house: PipelineHouse) -> None:
    text = (house.content("api", ".zuul.yaml") or "").replace(
        "check: {jobs: [unit]}", "check: {jobs: [{unit: {files: src/.*}}]}"
    )
    change = house.push("api", {".zuul.yaml": text}, "Run unit for sources alone")
    (check,) = await tried(web, change.number)  # type: ignore[misc]
    assert check["changed"] == {"unit": ["files"]}
    assert check["values"] == {"unit": {"files": ["-", "src/.*"]}}
    assert "unit files - → src/.*" in await page(web, f"/trial/{change.number}")


async def test_jobs_that_could_not_be_run_any_more_are_told_first(web: WebHouse, house: PipelineHouse) -> None:
    change = house.push("gatebot-config", altered(house, "name: base", "name: ground"), "Rename the base job")
    told = await page(web, f"/trial/{change.number}")
    assert "Changes that need one of these would be stopped:" in told
    assert "inherits from base, which there is not." in told
    assert told.index("would be stopped") < told.index("removed unit")


async def test_a_trial_is_remembered_until_the_change_or_the_configuration_is_another(
    web: WebHouse, house: PipelineHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[int] = []
    real = layouts.differences
    monkeypatch.setattr(layouts, "differences", lambda *sides: compared.append(1) or real(*sides))
    change = house.push("gatebot-config", altered(house, "name: base", "name: base, timeout: 77"), "Give less time")
    await asyncio.gather(*(tried(web, change.number) for _ in range(3)))
    assert len(compared) == 1
    house.review.new_patch_set(change, altered(house, "name: base", "name: base, timeout: 78"))
    (first, *_) = await tried(web, change.number)  # type: ignore[misc]
    assert first["values"] == {"unit": {"timeout": ["-", "78"]}}
    (first, *_) = await tried(web, change.number, query="?patch_set=1")  # type: ignore[misc]
    assert first["values"] == {"unit": {"timeout": ["-", "77"]}}
    assert len(compared) == 2
    house.layouts.refresh()
    await tried(web, change.number)
    assert len(compared) == 3


async def test_more_graphs_than_a_site_compares_are_refused_with_another_way(
    web: WebHouse, house: PipelineHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layouts, "MOST_GRAPHS", 3)
    change = house.push("gatebot-config", altered(house, "name: base", "name: base, timeout: 77"), "Give less time")
    refused = await tried(web, change.number, 400)
    assert "a site compares at most 3 for one asker" in str(refused)
    assert "gatebot config try --tenant-config" in await page(web, f"/trial/{change.number}", 400)
