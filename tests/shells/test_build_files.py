# SPDX-License-Identifier: Apache-2.0
"""What builds left, over HTTP and on pages: texts of any size by windows, tests, requests, hostile names."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from gatebot.executor.files.lines import FileLines
from gatebot.executor.files.model import OUTPUT
from gatebot.executor.files.requests import Requests
from gatebot.executor.files.shelf import Shelf
from gatebot.executor.files.view import Asked, Views
from gatebot.executor.log_html import Shown
from gatebot.executor.scrub import Scrubber
from tests.core.executor.test_test_results import JUNIT, SUBUNIT
from tests.fakes.pages import WebHouse
from tests.fakes.pipeline_house import PipelineHouse
from tests.shells.test_pages import words

BUILD = "ab" * 16
SERVER = "53764d92-e7eb-4508-b27a-548e504781cb"
REQUEST = "req-e4b65285-c9b2-48cb-963d-97cc84135279"


def leave(root: Path, name: str, data: bytes, build: str = BUILD) -> Path:
    path = root / build / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("ending", [b"", b"\n"])
def test_any_line_of_a_large_file_is_found_by_its_number_also_while_it_grows(tmp_path: Path, ending: bytes) -> None:
    data = b"\n".join(b"line %d " % n + b"x" * (n % 300) for n in range(1, 20_001)) + ending
    path = leave(tmp_path, "artifacts/a.log", data)
    lines = FileLines(Shelf(tmp_path))
    assert lines.count(BUILD, "artifacts/a.log") == 20_000
    for number in (1, 2, 1_723, 9_999, 20_000):
        assert lines.window(BUILD, "artifacts/a.log", number, 1)[0].split()[1] == str(number)
    assert lines.window(BUILD, "artifacts/a.log", 20_001, 5) == []
    with path.open("ab") as file:
        file.write(b"more\n")
    assert lines.window(BUILD, "artifacts/a.log", lines.count(BUILD, "artifacts/a.log"), 1)[0].endswith("more")


def test_a_page_of_a_large_file_shows_its_ends_and_says_what_is_between(tmp_path: Path) -> None:
    leave(tmp_path, "artifacts/a.log", b"".join(b"%d a line of some length\n" % n for n in range(1, 100_001)))
    shelf = Shelf(tmp_path)
    views = Views(shelf, FileLines(shelf))
    view = views.view(BUILD, "artifacts/a.log", Asked(), Shown())
    assert [(part.first, part.last, part.skipped) for part in view.parts] == [(1, 3000, 0), (97_001, 100_000, 94_000)]
    view = views.view(BUILD, "artifacts/a.log", Asked(first=50_000, upto=50_009, text="77777"), Shown())
    assert [(part.first, part.last) for part in view.parts] == [(50_000, 50_009)]
    assert view.found is not None
    assert [one.number for one in view.found.lines] == [77_777]
    assert views.view(BUILD, "artifacts/none", Asked(text="x"), Shown()).parts == ()


def test_links_out_of_the_tree_are_neither_listed_nor_read(tmp_path: Path) -> None:
    leave(tmp_path, "artifacts/plain.txt", b"ok")
    secret = tmp_path / "secret"
    secret.write_text("secret")
    os.symlink(secret, tmp_path / BUILD / "artifacts/link.txt")
    os.symlink("/etc", tmp_path / BUILD / "artifacts/etc")
    shelf = Shelf(tmp_path)
    assert [one.name for one in shelf.list(BUILD, "artifacts")] == ["artifacts/plain.txt"]
    for name in ("artifacts/link.txt", "artifacts/etc/passwd", "../secret", f"../{BUILD}x", "a\0b", "x" * 5000):
        assert shelf.size(BUILD, name) is None, name


def test_a_request_with_thousands_of_lines_does_not_read_its_file_thousands_of_times(tmp_path: Path) -> None:
    leave(tmp_path, "artifacts/a.log", f"2026-11-28 09:00:00 1 INFO n [None {REQUEST} u] m\n".encode() * 4_000)
    shelf = CountingShelf(tmp_path)
    found, more = Requests(shelf, FileLines(shelf)).lines_of(BUILD, REQUEST, ended=False)
    assert (len(found), found[-1].number, more) == (4_000, 4_000, False)
    assert shelf.reads < 150


class CountingShelf(Shelf):
    reads = 0

    def read(self, build: str, name: str, start: int, length: int) -> bytes:
        self.reads += 1
        return super().read(build, name, start, length)


def write_log(web: WebHouse, build: str) -> None:
    """What its executor does."""
    log = web.logs.open(build, Scrubber({}))
    log.stream()(f"2026-11-28 08:59:59 client [{REQUEST}] asks\n".encode())
    web.logs.close(build)


async def a_build(web: WebHouse, house: PipelineHouse, name: str = "a.txt") -> str:
    change = house.push("api", {name: "one\n"}, f"Add {name}")
    await house.settle()
    build = house.dispatch.of(change.number).build
    write_log(web, build)
    await house.passes(change.number)
    return build


async def test_a_build_page_tells_its_tests_failed_first_and_what_is_new(web: WebHouse, house: PipelineHouse) -> None:
    build = await a_build(web, house)
    root = web.logs.shelf.root
    leave(root, "artifacts/r.xml", JUNIT, build)
    leave(root, "artifacts/s.subunit", SUBUNIT, build)
    leave(root, "artifacts/bad.xml", b"<!DOCTYPE x><testsuite/>", build)
    said = words(await web.page(f"/build/{build}"))
    assert "Tests All tests ✗ 4 failed · ✓ 3 passed · – 2 skipped ✗ failed tests.T.test_bad 1000.50 s" in said
    assert "A file of results cannot be read: artifacts/bad.xml: it has a document type" in said
    assert "newly failing" not in await web.page(f"/build/{build}/tests")
    async with web.client.get(f"/api/build/{build}/tests") as answer:
        assert (await answer.json())["compared_with"] is None


def with_a_failure(name: str) -> bytes:
    """The results, where one more test fails."""
    passed = f'name="{name}" time="0.25"/>'.encode()
    assert passed in JUNIT
    return JUNIT.replace(passed, f'name="{name}"><failure/></testcase>'.encode())


async def compared(web: WebHouse, build: str) -> tuple[list[str], str | None]:
    """Which tests fail newly, and the build that this is said against."""
    async with web.client.get(f"/api/build/{build}/tests") as answer:
        told = await answer.json()
    return told["newly_failing"], told["compared_with"]


async def test_tests_are_compared_with_the_branch_and_neither_with_open_changes_nor_with_the_change_itself(
    web: WebHouse, house: PipelineHouse
) -> None:
    root = web.logs.shelf.root
    merged = house.push("api", {"first.txt": "one\n"}, "Merge this")
    await house.approve(merged)
    await house.settle()
    good = house.dispatch.of(merged.number).build
    write_log(web, good)
    leave(root, "artifacts/r.xml", JUNIT, good)
    await house.passes(merged.number)
    assert house.status(merged.number) == "MERGED"
    change = house.push("api", {"bad.txt": "one\n"}, "Break it")
    for patch_set in (1, 2):
        await house.settle()
        bad = house.dispatch.of(change.number).build
        write_log(web, bad)
        leave(root, "artifacts/r.xml", with_a_failure("test_ok"), bad)
        await house.fails(change.number)
        assert await compared(web, bad) == (["tests.T.test_ok"], good)
        if patch_set == 1:
            await asyncio.to_thread(house.review.new_patch_set, change, {"bad.txt": "two\n"})
    said = words(await web.page(f"/build/{bad}/tests"))
    assert "1 fail that passed" in said
    assert "✗ failed tests.T.test_ok newly failing" in said
    assert f"Against the run before: {good[:8]} change 1 · gate · 1 fail that passed" in said
    assert "✗ failed tests.T.test_bad failed before, too" in said
    other = await a_build(web, house, "other.txt")
    leave(root, "artifacts/r.xml", JUNIT, other)
    assert await compared(web, other) == ([], good)


async def test_a_request_is_followed_through_all_files_in_the_order_of_time(
    web: WebHouse, house: PipelineHouse
) -> None:
    build = await a_build(web, house)
    root = web.logs.shelf.root
    leave(
        root, "artifacts/logs/nova.log", f"2026-11-28 09:00:02.5 1 INFO nova [None {REQUEST} u] boots\n".encode(), build
    )
    leave(
        root,
        "artifacts/logs/neutron.log",
        f"2026-11-28 09:00:01.5 1 INFO neutron [{REQUEST} - u] port\n".encode(),
        build,
    )
    leave(
        root,
        "artifacts/logs/keystone.json",
        f'{{"asctime": "2026-11-28 09:00:00", "id": "{REQUEST}"}}\n'.encode(),
        build,
    )
    said = words(await web.page(f"/build/{build}/requests/{REQUEST}"))
    places = [said.index(one) for one in ("job-output.txt:1", "keystone.json:1", "neutron.log:1", "nova.log:1")]
    assert places == sorted(places)
    assert f'href="/build/{build}/requests/{REQUEST}"' in await web.page(
        f"/build/{build}/files/artifacts/logs/nova.log"
    )
    assert f"{REQUEST} 4" in words(await web.page(f"/build/{build}/requests"))
    async with web.client.get(f"/api/build/{build}/requests/{REQUEST}") as answer:
        assert [line["file"].split("/")[-1] for line in (await answer.json())["lines"]] == [
            OUTPUT, "keystone.json", "neutron.log", "nova.log",
        ]  # fmt: skip


async def test_a_server_of_a_cloud_is_followed_from_where_it_was_accepted(web: WebHouse, house: PipelineHouse) -> None:
    build = await a_build(web, house)
    for path in (Path(__file__).parents[1] / "data/cloud-logs").iterdir():
        leave(web.logs.shelf.root, f"artifacts/cloud/services/{path.name}", path.read_bytes(), build)
    assert f'href="/build/{build}/resources/{SERVER}"' in await web.page(f"/build/{build}/requests")
    page = await web.page(f"/build/{build}/resources/{SERVER}")
    assert "accepted POST /v2.1/servers 202" in words(page)
    assert "services/nova-compute.log?from=1#L" in page
    async with web.client.get(f"/api/build/{build}/resources/{SERVER}") as answer:
        told = await answer.json()
    assert [(one["happened"], one["times"]) for one in told["steps"][:2]] == [("accepted", 1), ("polled", 3)]
    assert (told["steps"][0]["at"], told["more"]) == ("2026-11-28T18:43:52.736000+00:00", False)
    async with web.client.get(f"/api/build/{build}/resources") as answer:
        assert [one["id"] for one in (await answer.json())["resources"]] == [SERVER]


async def test_a_text_is_searched_on_the_server_and_files_are_a_tree(web: WebHouse, house: PipelineHouse) -> None:
    build = await a_build(web, house)
    leave(web.logs.shelf.root, "artifacts/deep/er/x.log", b"one\nTwo\n" * 600, build)
    leave(web.logs.shelf.root, "artifacts/core.bin", b"\0\1", build)
    page = await web.page(f"/build/{build}?q=ASKS")
    assert "1 lines hold “ASKS”" in words(page)
    assert "deep/ 1 · 4.7 KiB er/ 1 · 4.7 KiB x.log 4.7 KiB raw core.bin 2 B" in words(page)
    said = words(await web.page(f"/build/{build}/files/artifacts/deep/er/x.log?q=two&after=1190"))
    assert "6 lines hold “two”. Close 1190 Two" in said
    async with web.client.get(f"/build/{build}/files/artifacts/core.bin", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, f"/logs/{build}/artifacts/core.bin")
    async with web.client.get(f"/logs/{build}/artifacts/core.bin") as answer:
        assert answer.headers["Content-Disposition"] == "attachment"
    async with web.client.get(f"/api/build/{build}/search?q=two&file=artifacts/deep/er/x.log") as answer:
        told = await answer.json()
    assert (len(told["lines"]), told["continue_after"]) == (200, 401)
    assert "There is no file" in words(await web.page(f"/build/{build}/files/artifacts/none", status=404))
