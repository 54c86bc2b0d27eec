# SPDX-License-Identifier: Apache-2.0
"""Whatever is lost or late between a server and an executor, no build is given away while it may still run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from gatebot.executor.fleet.leases import Answered, counts_as_heard, patience, shortened
from gatebot.executor.fleet.model import LEASE_SECONDS, Abilities, Beat, Claim

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
CLAIM = Claim("b", 1, "far", 0, NOW)


class Pair:
    """A server and an executor; answers are `under_way` until they arrive, if ever."""

    def __init__(self) -> None:
        self.now = NOW
        self.claim = CLAIM
        self.answered = Answered(NOW)
        self.parting = False
        self.under_way: list[Answered] = []

    def beat(self, took: float) -> None:
        """The executor says something that the server hears so much later."""
        sent, beat = self.now, Beat("1", 1, Abilities(), excused=self.answered.parting)
        self.pass_by(took)
        heard = counts_as_heard(self.now, parting=self.parting)
        claim = shortened((self.claim,), beat, self.now).get("b", self.claim) if not self.parting else self.claim
        self.claim = replace(claim, heard=max(claim.heard, heard))
        self.under_way.append(Answered(sent, self.parting))

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def arrives(self, which: int) -> None:
        if self.under_way:
            self.answered = self.answered.newer(self.under_way.pop(which % len(self.under_way)))

    @property
    def runs_until(self) -> datetime:
        return self.answered.sent + timedelta(seconds=patience(self.answered.parting))

    @property
    def given_away(self) -> datetime:
        return self.claim.heard + timedelta(seconds=LEASE_SECONDS)


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("beat"), st.floats(0, 5)),
        st.tuples(st.just("pass_by"), st.floats(0, 30)),
        st.tuples(st.just("arrives"), st.integers(0, 5)),
        st.tuples(st.just("part"), st.booleans()),
    ),
    max_size=60,
)


@settings(deadline=None)
@given(_STEPS)
def test_no_build_is_given_away_while_it_may_still_run(steps: list[tuple[str, float]]) -> None:
    pair = Pair()
    for what, value in steps:
        match what:
            case "beat":
                pair.beat(value)
            case "pass_by":
                pair.pass_by(value)
            case "arrives":
                pair.arrives(int(value))
            case _:
                pair.parting = bool(value)
        if pair.answered.over(pair.now):
            return  # it ended its builds, and nobody speaks of leases any more
        assert pair.runs_until < pair.given_away


def test_after_a_farewell_and_an_answer_both_are_as_before() -> None:
    pair = Pair()
    pair.parting = True
    pair.beat(0)
    pair.arrives(0)
    assert (pair.runs_until - pair.now, pair.given_away - pair.now) == (timedelta(seconds=120), timedelta(seconds=130))
    pair.parting = False
    for _ in range(2):
        pair.beat(0)
        pair.arrives(0)
    assert (pair.runs_until - pair.now, pair.given_away - pair.now) == (timedelta(seconds=10), timedelta(seconds=20))
