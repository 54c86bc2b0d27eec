# SPDX-License-Identifier: Apache-2.0
"""The page of one file's difference, as a browser without scripts gets it."""

from __future__ import annotations

import asyncio
import html
import re

from tests.fakes.pages import WebHouse
from tests.fakes.pipeline_house import PipelineHouse
from tests.shells.test_pages import EVIL, words

LINES = [f"line {number}\n" for number in range(1, 101)]


def rows(page: str) -> list[str]:
    """The lines of the difference, as they are read."""
    table = page.split('id="lines"', 1)[1].split("</table>", 1)[0]
    found = re.findall(r"<tr.*?</tr>", table, re.DOTALL)
    return [" ".join(html.unescape(re.sub(r"<[^>]*>", " ", row)).split()) for row in found]


async def test_a_file_is_shown_side_by_side_with_equal_lines_folded(web: WebHouse, house: PipelineHouse) -> None:
    base = house.commit_to("api", {"a.txt": "".join(LINES)})
    after = [*LINES[:49], "the fiftieth line\n", *LINES[50:]]
    change = house.push("api", {"a.txt": "".join(after)}, "Name line 50", onto=base)
    page = await web.page(f"/c/api/+/{change.number}/1/a.txt")
    told = rows(page)
    assert told[0] == "⋯ 39 equal lines"
    assert told[1] == "40 line 40 40 line 40"
    assert "50 − line 50 50 + the fiftieth line" in told
    assert told[-1] == "⋯ 20 above · all 40 equal lines · 20 below" or told[-1] == "⋯ 40 equal lines"
    more = re.search(r'href="(\?[^"]*more=[^"]*)"', page)
    assert more is not None
    told = rows(await web.page(f"/c/api/+/{change.number}/1/a.txt{html.unescape(more[1])}"))
    assert told[0] == "1 line 1 1 line 1"


async def test_the_unified_view_is_remembered(web: WebHouse, house: PipelineHouse) -> None:
    base = house.commit_to("api", {"a.txt": "one\ntwo\n"})
    change = house.push("api", {"a.txt": "one\nzwei\n"}, "Say it in German", onto=base)
    path = f"/c/api/+/{change.number}/1/a.txt"
    assert rows(await web.page(path)) == ["1 one 1 one", "2 − two 2 + zwei"]
    assert rows(await web.page(f"{path}?view=unified")) == ["1 1 one", "2 − two", "2 + zwei"]
    assert rows(await web.page(path)) == ["1 1 one", "2 − two", "2 + zwei"]


async def test_what_people_write_is_escaped_in_every_place(web: WebHouse, house: PipelineHouse) -> None:
    name = f"a{EVIL.replace('/', '')}&quot;'.py"
    change = house.push("api", {name: f'x = "{EVIL}"\n# {EVIL}\n'}, f"Add {EVIL}")
    await web.sign_in("bob")
    page = await web.page(f"/c/api/+/{change.number}/1/{name}")
    assert EVIL not in page
    assert EVIL.replace("/", "") not in page
    assert "+ x = " in " ".join(rows(page))
    assert EVIL in " ".join(rows(page)).replace(" ", "").replace("+", "")


async def test_two_patch_sets_of_a_file_are_compared(web: WebHouse, house: PipelineHouse) -> None:
    change = house.push("api", {"a.txt": "one\n"}, "Add a")
    await asyncio.to_thread(house.review.new_patch_set, change, {"a.txt": "one\ntwo\n"})
    assert rows(await web.page(f"/c/api/+/{change.number}/1..2/a.txt")) == ["1 one 1 one", "2 + two"]
    async with web.client.get(f"/c/api/+/{change.number}/2/a.txt?from=1&to=2", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, f"/c/api/+/{change.number}/1..2/a.txt")
    said = words(await web.page(f"/c/api/+/{change.number}/1/a.txt"))
    assert "This is not the newest patch set. What came since: patch set 2" in said
    await web.page(f"/c/api/+/{change.number}/1..7/a.txt", status=404)
    await web.page(f"/c/api/+/{change.number}/1/no-such.txt", status=404)


async def test_a_file_is_marked_as_read_and_the_page_says_what_came_since(web: WebHouse, house: PipelineHouse) -> None:
    change = house.push("api", {"a.txt": "one\n"}, "Add a")
    await web.sign_in("bob")
    path = f"/c/api/+/{change.number}/1/a.txt"
    assert "☐ Reviewed" in words(await web.page(path))
    status, page = await web.send(path, do="read")
    assert (status, "☑ Reviewed" in words(page)) == (200, True)
    await asyncio.to_thread(house.review.new_patch_set, change, {"a.txt": "one\ntwo\n"})
    said = words(await web.page(f"/c/api/+/{change.number}/2/a.txt"))
    assert "Since you last looked (patch set 1)" in said
    assert "1 · last looked at" in said


async def test_pictures_are_shown_and_other_binary_files_told(web: WebHouse, house: PipelineHouse) -> None:
    picture = b"\x89PNG\r\n\x1a\n\x00\x00".decode("latin-1")
    change = house.push("api", {"icon.bin": "\x00\x01", "p.png": picture}, "Add files")
    assert "A binary file: no lines to compare." in words(await web.page(f"/c/api/+/{change.number}/1/icon.bin"))
    assert "after: 2 bytes" in words(await web.page(f"/c/api/+/{change.number}/1/icon.bin"))


async def test_the_commit_message_is_the_first_file(web: WebHouse, house: PipelineHouse) -> None:
    change = house.push("api", {"a.txt": "one\n"}, "Add a")
    page = await web.page(f"/c/api/+/{change.number}/1//COMMIT_MSG")
    assert "Commit message" in words(page)
    assert any("+ Add a" in row for row in rows(page))
    assert 'rel="next"' in page
    assert 'rel="prev"' not in page


async def test_a_patch_set_that_cannot_be_is_not_gone_to(web: WebHouse, house: PipelineHouse) -> None:
    change = house.push("api", {"a.txt": "one\n"}, "Begin")
    for wanted in ("00001" + "1" * 5000, "0", "7", "x"):
        page = await web.page(f"/c/api/+/{change.number}/1/a.txt?to={wanted}")
        assert rows(page) == ["1 + one"]


async def test_characters_that_turn_the_direction_of_text_are_marked(web: WebHouse, house: PipelineHouse) -> None:
    """They let a reviewer read another order than a compiler reads (the Trojan Source attacks)."""
    turned = "\u202e} \u2066if admin\u2069 \u2066 begin"
    change = house.push("api", {"a\u202etxt.py": f"# {turned}\n"}, f"Allow {turned}")
    await web.sign_in("bob")
    await house.say(change, f"Fine {turned}")
    for path in (f"/c/api/+/{change.number}", f"/c/api/+/{change.number}/1/a%E2%80%AEtxt.py", "/q/status:open"):
        page = await web.page(path)
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", page), path
        assert "\u27e6U+202E\u27e7" in page, path
    assert "⟦U+202E⟧} ⟦U+2066⟧if admin⟦U+2069⟧" in html.unescape(re.sub(r"<[^>]*>", "", page))
