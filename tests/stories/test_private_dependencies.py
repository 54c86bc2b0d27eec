# SPDX-License-Identifier: Apache-2.0
"""A public change that stands on a private one: no door tells who may not see it that there is such a change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.fakes.site import Builds, Template, begin, eventually, open_place
from tests.stories.test_doors import SECRET, Ground, address, built, furnish


@pytest.fixture(scope="module")
def ground(template: Template) -> Iterator[Ground]:
    """Change 2 is ann's alone; change 3 is everybody's and stands on it."""
    with open_place() as place, begin(template, place, builds := Builds()) as site:
        ground = furnish(site, builds)
        ann, bob = site.person("ann"), site.person("bob")
        work = ann.clone("api", "on-private")
        work.git("fetch", "-q", address(ground, "ann"), "refs/changes/02/2/1")
        work.git("reset", "-q", "--hard", "FETCH_HEAD")
        work.commit("Stand on something", stands="1\n")
        assert ann.push(work) == 3
        row = eventually(lambda: site.do(built(site, 3)), "built: 3")
        bob.approve(3)
        ann.hears(3, "Not enqueued")
        table = ground.tables[0] | {"id": "3", "number": "3"}
        table |= {"build": row.build, "buildset": row.buildset, "node": row.build}
        yield replace(ground, tables=(table, table))


def test_the_gate_says_on_it_that_something_is_needed_and_not_what(ground: Ground) -> None:
    ann = ground.site.person("ann")
    said = ann.hears(3, "Not enqueued")
    assert "It needs change \u2022\u2022\u2022, which cannot enter yet" in said
    assert "private" not in said
    told = ann.rest.call("GET", "/api/change/3/verdict")["lines"]
    assert any("It depends on change 2, which is not merged." in line for line in told)
    seen = ground.visitor("stranger").get("/api/change/3/verdict").json["lines"]
    assert any("It depends on change \u2022\u2022\u2022, which is not merged." in line for line in seen)


@pytest.mark.parametrize("role", ["stranger", "dan"])
def test_no_door_of_the_public_change_names_the_private_one(ground: Ground, role: str) -> None:
    visitor, wrong = ground.visitor(role), list[str]()
    number = re.compile(r"(?:changes?|%2B|/\+)[ /~]2\b|\"_?(?:change_)?number\": ?2\b|refs/changes/02/2/|>2,1\b")
    for door in ground.doors(ground.tables[0]):
        if door.writes or "{path}" in door.route:
            continue
        text = visitor.ask(door.method, door.path).text
        for said in (*number.findall(text), *(one for one in (SECRET, "sesame.txt") if one in text)):
            if door.route not in ("/search", "/q/{query}"):
                wrong.append(f"{door.path} tells {said}")
    assert wrong == []
