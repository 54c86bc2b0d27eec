# SPDX-License-Identifier: Apache-2.0
"""The one search box: changes as the list of changes shows them, refusals by name, and advice that fits."""

from __future__ import annotations

import re
from urllib.parse import quote

from aiohttp import web as http

from gatebot.errors import Invalid
from gatebot.front import Hit, Results
from gatebot.reasons import reason
from tests.fakes.pages import WebHouse
from tests.fakes.pipeline_house import PipelineHouse
from tests.shells.test_pages import words

WORDS = "take fewer, and Korean ones without particle and ending"
CONDITIONS = (
    "All conditions must hold of one change or one line: leave some out. What you may not see is not found."
)  # fmt: skip


async def test_changes_are_found_as_in_their_list_and_the_one_that_is_named_is_shown(
    web: WebHouse, house: PipelineHouse
) -> None:
    one = house.push("api", {"a.txt": "one\n"}, "Add a discount")
    house.push("api", {"b.txt": "one\n"}, "Add a door")
    page = words(await web.page("/search?q=discount"))
    assert "Change Subject Project Owner State Votes Updated" in page
    assert f"{one.number} Add a discount api main ann ▶ open" in page
    assert "Add a door" not in page
    for named in (str(one.number), one.change_id, one.change_id[:9]):
        answer = await web.client.get(f"/search?q={named}", allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (302, f"/c/api/+/{one.number}")
    assert "Nothing found for “4711”." in await web.page("/search?q=4711")


async def test_a_query_that_is_wrong_is_refused_by_name_and_a_right_one_gets_no_advice_about_words(
    web: WebHouse, house: PipelineHouse
) -> None:
    house.push("api", {"a.txt": "one\n"}, "Add a:b and c\\")
    for query, told in (
        ("foo:bar", "Changes: Unsupported operator foo:bar. The operators are added, after, "),
        ("status:open AND", "Changes: The query ends too early or has something left over near the end."),
        ("age:2x", "Changes: age:2x cannot be searched for: "),
        ("is:blocked door", "Changes: is:blocked cannot be searched for: "),
        ("owner:nobody", "Changes: "),
    ):
        page = words(await web.page(f"/search?q={quote(query)}", status=400))
        assert told in page
        assert "Nothing found" not in page
    for query in ("status:merged", "is:submittable", "-is:open", "has:draft"):
        page = words(await web.page(f"/search?q={quote(query)}"))
        assert f"Nothing found for “{query}”. {CONDITIONS}" in page
    for query in ("lamp", "status:open lamp", "(("):
        page = words(await web.page(f"/search?q={quote(query)}"))
        assert (WORDS in page) is (query != "((")
    for text in ("a:b", "c\\"):  # it may be words, as they stand in a message
        assert "Add a:b" in words(await web.page(f"/search?q={quote(text)}"))


async def test_only_who_reads_all_conditions_tells_what_is_wrong_with_them(web: WebHouse, house: PipelineHouse) -> None:
    async def lines(_: http.Request, query: str) -> Results:
        if "has:" in query or "#no" in query:
            raise Invalid(reason=reason("meetbot.bad-search-has", value=query))
        return Results([Hit("#gatebot", "/irclogs/", "ann: the door")])

    house.push("api", {"a.txt": "one\n"}, "Add a")
    web.front.add(search=("Meetings and IRC logs", lines), conditions=frozenset(("has", "in", "before")))
    for query, asked in (
        ("has:draft", ()),
        ("has:nothing", ("Changes", "Meetings and IRC logs")),
        ("in:#gatebot door", ()),
        ("in:#no door", ("Meetings and IRC logs",)),
        ("owner:nobody before:2026-11-01", ("Changes",)),
        ("foo:bar", ("Changes",)),
    ):
        answer = await web.client.get("/search", params={"q": query})
        told = re.findall(r'role="alert"><span[^>]*>✗</span> ([^:]+):', await answer.text())
        assert tuple(told) == asked, query
