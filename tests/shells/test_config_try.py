# SPDX-License-Identifier: Apache-2.0
"""A change of the config project is tried before it is merged: every graph that it alters is told."""

from __future__ import annotations

import pytest

from tests.fakes.pages import WebHouse
from tests.fakes.pipeline_house import PipelineHouse


async def tried(web: WebHouse, number: int, status: int = 200) -> object:
    async with web.client.get(f"/api/tenant/main/try/{number}") as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


@pytest.mark.zuul(127)
async def test_a_change_of_the_config_project_is_tried_for_every_project_and_used_nowhere(
    web: WebHouse, house: PipelineHouse
) -> None:
    text = house.content("gatebot-config", "zuul.yaml") or ""
    altered = text.replace("name: base", "name: base, timeout: 77")
    assert altered != text
    change = house.push("gatebot-config", {"zuul.yaml": altered}, "Give jobs less time")
    assert await tried(web, change.number) == [
        {
            "project": project,
            "pipeline": pipeline,
            "branch": "main",
            "added": [],
            "removed": [],
            "changed": {"unit": ["timeout"]},
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
    assert await tried(web, 999, 404) == {
        "error": "404 NotFound",
        "description": "There is no change 999, or you may not see it.",
    }
