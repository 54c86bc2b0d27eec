# SPDX-License-Identifier: Apache-2.0
"""Pages of jobs, of what would run, of errors, semaphores and buildsets; and the buttons of those who may."""

from __future__ import annotations

import asyncio

import pytest

from gatebot.pipeline.tenants.catalogue import Use, children, jobs_of, uses
from tests.fakes.configuration import tenant_layout
from tests.fakes.pages import WebHouse
from tests.fakes.pipeline_house import CONFIG, PipelineHouse
from tests.shells.test_pages import words

MORE = """
- semaphore: {name: stage, max: 1}
- job: {name: heavy, parent: unit, semaphores: stage, timeout: 90, description: Takes the stage., files: [^src/]}
- project-template: {name: heavy-jobs, check: {jobs: [heavy]}}
"""
API = """
- project:
    queue: shared
    templates: [heavy-jobs]
    check: {jobs: [unit, {style: {voting: false, dependencies: [unit]}}]}
    gate: {jobs: [unit]}
"""


@pytest.fixture(autouse=True)
async def _configured(house: PipelineHouse) -> None:
    house.commit_to("gatebot-config", {"zuul.yaml": CONFIG + MORE, "run.sh": "true\n"})
    house.commit_to("api", {".zuul.yaml": API})
    await asyncio.to_thread(house.layouts.refresh)


async def test_jobs_are_listed_and_one_is_told_with_where_it_stands_and_who_runs_it(web: WebHouse) -> None:
    said = words(await web.page("/jobs?q=stage"))
    assert "heavy Takes the stage. unit gatebot-config" in said
    assert "style" not in said
    page = await web.page("/job/heavy")
    said = words(page)
    assert "1 definition gatebot-config main zuul.yaml:" in said
    assert "parent unit semaphores stage timeout 90 files ^src/" in said.replace("description Takes the stage. ", "")
    assert "api check · by the template heavy-jobs" in said
    assert 'href="/freeze?project=api&amp;pipeline=check"' in page
    assert "heavy" in words(await web.page("/job/unit")).split("Who inherits from it")[1]
    assert "built in Succeeds at once; nothing is run." in words(await web.page("/job/noop"))
    assert "There is no job none in the tenant main." in words(await web.page("/job/none", status=404))


async def test_what_would_run_is_told_with_why_not(web: WebHouse) -> None:
    said = words(await web.page("/freeze?project=api&pipeline=check&files=README%0Adocs/a.rst"))
    assert "2 jobs would run" in said
    assert "style non-voting unit" in said
    assert "1 job would not heavy" in said
    said = words(await web.page("/freeze?project=api&pipeline=check&files=src/a.py"))
    assert "3 jobs would run" in said
    assert "1 min 30 s" in said
    said = words(await web.page("/freeze?project=gatebot-config&pipeline=check"))
    assert "The project has no jobs in this pipeline on this branch." in said
    assert "no project none" in words(await web.page("/freeze?project=none&pipeline=check", status=404))


async def test_errors_of_the_configuration_are_shown_where_they_stand(web: WebHouse, house: PipelineHouse) -> None:
    assert "No errors." in words(await web.page("/config-errors"))
    house.commit_to("client", {".zuul.yaml": "- job: {name: x, parent: none, run: r}\n- jobb: {}\n"})
    await asyncio.to_thread(house.layouts.refresh)
    said = words(await web.page("/config-errors?project=client"))
    assert "client main .zuul.yaml:2" in said
    assert "jobb" in said
    assert "No errors." in words(await web.page("/config-errors?project=api"))


async def test_semaphores_say_who_holds_them_and_who_waits(web: WebHouse, house: PipelineHouse) -> None:
    assert "stage – 0 of 1" in words(await web.page("/semaphores"))
    for number in (1, 2):
        house.push("api", {f"src/{number}.py": "a\n"}, f"Add {number}")
        await house.settle()
    said = words(await web.page("/semaphores"))
    assert "stage ▶ 1 of 1 heavy check · api 1 heavy check · api 2" in said


async def test_a_semaphore_that_only_an_open_change_declares_is_shown_while_it_is_held_or_waited_for(
    web: WebHouse, house: PipelineHouse
) -> None:
    declared = (
        "- semaphore: {name: own, max: 1}\n"
        "- job: {name: mine, run: run.sh, semaphores: own}\n"
        "- project: {queue: shared, check: {jobs: [mine]}}\n"
    )
    for number in (1, 2):
        house.push("api", {".zuul.yaml": declared, f"src/{number}.py": "a\n"}, f"Add {number}")
        await house.settle()
    said = words(await web.page("/semaphores"))
    assert "own ▶ 1 of 1 mine check · api 1 mine check · api 2" in said


async def test_buildsets_are_listed(web: WebHouse, house: PipelineHouse) -> None:
    house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    assert "▶ running 1,1 api check" in words(await web.page("/buildsets"))
    await house.passes(1, "unit")
    await house.passes(1, "style")
    assert "✓ success 1,1 api check" in words(await web.page("/buildsets?project=api&pipeline=check&change=1"))
    assert "No buildset matches." in words(await web.page("/buildsets?project=client"))


async def test_those_who_may_have_buttons_to_take_a_change_out_and_to_put_it_in(
    web: WebHouse, house: PipelineHouse
) -> None:
    house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    assert "Take it out" not in await web.page("/status/change/1")
    await web.sign_in("bob")
    assert "Take it out of check" in await web.page("/status/change/1")
    status, page = await web.send("/status/change/1/dequeue", pipeline="check")
    assert status == 200
    assert "Change 1 leaves check; its builds are stopped" in words(page)
    await house.settle()
    assert house.running == {}
    said = await web.page("/status/change/1")
    assert "Enqueue by hand in" in said
    _, page = await web.send("/status/change/1/enqueue", pipeline="check")
    assert "Change 1 is being enqueued in check." in words(page)
    await house.settle()
    assert house.running == {"check": [1]}


async def test_a_project_shows_its_jobs_by_pipeline(web: WebHouse) -> None:
    page = await web.page("/project/api")
    assert "Jobs by pipeline What would run gate : unit" in words(page)
    assert 'href="/job/unit"' in page


def test_who_uses_a_job_is_found_through_templates_and_parents() -> None:
    layout = tenant_layout(
        {
            "config": "- job: {name: lib, run: r}\n- project-template: {name: t, check: {jobs: [app]}}\n",
            "a": "- job: {name: app, parent: lib}\n- project: {templates: [t], gate: {jobs: [lib, app]}}\n",
            "b": "- project: {check: {jobs: [lib]}}\n",
        }
    )
    assert children(layout, "lib") == ["app"]
    assert uses(layout, "app") == [Use("a", ("gate", "check"), ("t",))]
    assert uses(layout, "lib") == [Use("a", ("gate",)), Use("b", ("check",))]
    assert jobs_of(layout, "a") == [("check", ("app",)), ("gate", ("lib", "app"))]
