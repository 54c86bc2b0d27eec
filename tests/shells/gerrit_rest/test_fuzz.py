# SPDX-License-Identifier: Apache-2.0
"""Every call that the OpenAPI description names, with whatever a client may send: answered, never a 5xx."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from gatebot.review.model import Change
from tests.fakes.described import strays
from tests.fakes.rest_client import RestClient
from tests.fakes.review_house import ReviewHouse

ROUNDS = int(os.environ.get("GATEBOT_FUZZ_ROUNDS", "1"))
NAMES = (
    "message", "topic", "add", "remove", "reviewer", "reviewers", "state", "labels", "comments", "drafts", "tag",
    "destination", "base", "parent", "values", "revision", "ref", "branches", "tags", "name", "members", "groups",
    "project", "branch", "subject", "user", "reason", "path", "line", "range", "fix_replacement_infos", "description",
    "submit_type", "permissions", "rules", "account", "confirmed", "in_reply_to", "unresolved", "url", "email", "owner",
)  # fmt: skip
TEXTS = (
    "", "x", "1", "0", "-1", "demo/api", "main", "refs/heads/main", "HEAD", "ann", "self", "current", "Code-Review",
    "a.txt", "/COMMIT_MSG", "../x", "a\nb", "\t", "한글", "%", "*", "^(", "I" + "1" * 40, "1" * 40, "9" * 30, "~",
    "edit", "Core", "refs/meta/config", "\u202e", "a" * 300,
)  # fmt: skip
FOR = {
    "id": ("1", "2", "demo%2Fapi~1", "99"), "revision": ("current", "1", "9"),
    "project": ("demo%2Fapi", "All-Projects"),
    "account": ("self", "ann", "1000001"), "label": ("Code-Review", "Docs"), "branch": ("main", "HEAD", "next"),
    "file": ("a.txt", "%2FCOMMIT_MSG"), "group": ("Core", "Administrators"),
}  # fmt: skip


def value(dice: random.Random, depth: int = 0) -> Any:
    """Any JSON, with the names that calls look for."""
    kind = dice.randrange(9 if depth < 4 else 6)
    if kind < 3:
        return dice.choice(TEXTS)
    if kind < 6:
        return dice.choice((None, True, False, 0, 1, -1, 2**40, 1.5))
    if kind == 6:
        return [value(dice, depth + 1) for _ in range(dice.randrange(3))]
    return {dice.choice((*NAMES, *TEXTS)): value(dice, depth + 1) for _ in range(dice.randrange(5))}


def addresses(dice: random.Random, path: str) -> Iterator[str]:
    """The path with every place filled: mostly with what there is."""
    while "{" in path:
        name = path[path.index("{") + 1 : path.index("}")]
        known = FOR.get(name)
        odd = quote(dice.choice(TEXTS) or "x", safe="")
        chosen = dice.choice(known) if known is not None and dice.random() < 0.8 else odd
        path = path.replace(f"{{{name}}}", chosen, 1)
    yield path
    query = "&".join(
        f"{dice.choice(('q', 'n', 'S', 'o', 'O', 'm', 'r', 'p', 'base', 'parent', 'context', 'source'))}="
        f"{quote(dice.choice(TEXTS))}" for _ in range(2)
    )  # fmt: skip
    yield f"{path}?{query}"


async def test_no_call_ends_in_an_error_of_the_server(rest: RestClient, house: ReviewHouse, change: Change) -> None:
    description = json.loads((await rest.raw("", "GET", "/openapi.json")).body)
    calls = [(method.upper(), path) for path, one in description["paths"].items() for method in one]
    assert len(calls) > 150
    broken: list[tuple[str, str, bytes, int]] = []
    stray: list[str] = []
    for turn in range(ROUNDS):
        for method, path in calls:
            dice = random.Random(f"{turn} {method} {path}")
            for address in addresses(dice, path):
                body = value(dice) if dice.random() < 0.3 else {
                    dice.choice(NAMES): value(dice) for _ in range(dice.randrange(6))
                }  # fmt: skip
                raw = json.dumps(body).encode() if method in ("POST", "PUT") else None
                who = dice.choice(("root", "root", "ann", "bob", ""))
                answer = await rest.raw(who, method, address, raw, Content_Type="application/json")
                if answer.status >= 500:
                    broken.append((method, address, raw or b"", answer.status))
                kind = answer.headers.get("Content-Type", "")
                stray.append(strays(description, method, path, answer.status, kind, answer.body))
    assert broken == []
    assert sorted(set(stray) - {""}) == []
