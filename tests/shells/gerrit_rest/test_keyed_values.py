# SPDX-License-Identifier: Apache-2.0
"""Pairs that programs keep with a change: written, read, told once, and refused where they are no pairs."""

from __future__ import annotations

from gatebot.review.model import Change, CustomKeyedValuesChanged
from tests.fakes.rest_client import RestClient
from tests.fakes.review_house import ANN, ReviewHouse

V = "/changes/1/custom_keyed_values"


async def test_values_are_written_read_and_taken_away(rest: RestClient, house: ReviewHouse, change: Change) -> None:
    assert await rest.get(V) == {}
    assert await rest("ann", "POST", V, {"add": {"ticket": "T-1", "risk": "low"}}) == {"risk": "low", "ticket": "T-1"}
    assert await rest("ann", "POST", V, {"add": {"ticket": "T-1"}, "remove": ["risk", "none"]}) == {"ticket": "T-1"}
    assert await rest("ann", "POST", V, {"add": {"ticket": "T-2"}}) == {"ticket": "T-2"}
    assert await rest("ann", "POST", V, {}) == {"ticket": "T-2"}
    assert "custom_keyed_values" not in await rest.get("/changes/1")
    assert (await rest.get("/changes/1?o=CUSTOM_KEYED_VALUES"))["custom_keyed_values"] == {"ticket": "T-2"}
    assert house.facts(CustomKeyedValuesChanged) == [
        CustomKeyedValuesChanged(1, ANN, (("ticket", "T-1"), ("risk", "low"))),
        CustomKeyedValuesChanged(1, ANN, (), ("risk",)),
        CustomKeyedValuesChanged(1, ANN, (("ticket", "T-2"),)),
    ]
    await rest("root", "DELETE", "/changes/1", status=204)


async def test_what_is_no_pair_is_refused_and_who_may_not_writes_none(rest: RestClient, change: Change) -> None:
    wrong = await rest("ann", "POST", V, {"add": {"a=b": "x"}}, status=400)
    assert wrong == "The field add cannot be used: a key is a text of 1 to 100 characters without =."
    long = await rest("ann", "POST", V, {"add": {"a": "x" * 10_001}}, status=400)
    assert long == "The field add.a cannot be used: a value has at most 10000 characters."
    many = await rest("ann", "POST", V, {"add": {f"k{n}": "" for n in range(101)}}, status=400)
    assert many == "The field add cannot be used: a change has at most 100 values."
    await rest("ann", "POST", V, {"add": [1]}, status=400)
    await rest("", "POST", V, {"add": {"a": "b"}}, status=401)
    assert await rest.get(V) == {}
