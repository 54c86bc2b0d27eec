# SPDX-License-Identifier: Apache-2.0
"""An alert in the topics of channels: it is there while it is in force, and gone with what ended it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gatebot.meetbot.status import standing
from gatebot.meetbot.status.model import Held, Sitting

ALERTS = ("Gerrit is down", "the gate is stuck")
OTHERS = ("", "welcome", "meeting: doors")
ALERT = st.tuples(st.just("alert"), st.sampled_from(ALERTS))
OK = st.tuples(st.just("ok"), st.just(""))
TOPIC = st.tuples(st.just("topic"), st.sampled_from(OTHERS))
LOOK = st.tuples(st.just("look"), st.just(""))
MEET = st.tuples(st.just("meet"), st.sampled_from(("doors (Meeting topic: m)", "windows (Meeting topic: m)")))
END = st.tuples(st.just("end"), st.just(""))
LOST = st.tuples(st.just("lost"), st.just(""))


class Channel:
    """A channel, its bot, and what the bot remembers; a topic that is `lost` was sent and never set."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.wanted: str | None = None
        self.held: Held | None = None
        self.past: list[str] = []
        self.sitting: Sitting | None = None

    def look(self, *, lost: bool = False) -> bool:
        """One look at the topic; whether it was to become another."""
        self.held, topic = standing.topic(self.wanted, self.held, self.topic, self.past, self.sitting)
        if topic is not None and not lost:
            self.topic = topic
        return topic is not None

    def settle(self) -> None:
        for _ in range(3):
            self.look()

    def happens(self, what: str, text: str) -> None:
        match what:
            case "alert":
                self.wanted = text
                self.past.append(text)
            case "ok":
                self.wanted = None
            case "topic":
                self.topic = text
            case "meet" if self.sitting is not None:
                self.topic, self.sitting = text, replace(self.sitting, topic=text)
            case "meet":
                self.topic, self.sitting = text, Sitting(text, self.topic)
            case "end":
                self.topic = self.sitting.before or "" if self.sitting is not None else self.topic
                self.sitting = None
            case _:
                self.look(lost=what == "lost")


@given(before=st.sampled_from(OTHERS), steps=st.lists(ALERT | OK | TOPIC | LOOK | LOST, max_size=12))
def test_no_topic_is_an_alert_that_is_over_and_looking_again_changes_nothing(
    before: str, steps: list[tuple[str, str]]
) -> None:
    channel = Channel(before)
    for what, text in steps:
        channel.happens(what, text)
    channel.settle()
    assert channel.wanted is not None or channel.topic not in ALERTS
    assert not channel.look()
    channel.happens("ok", "")
    channel.settle()
    assert channel.topic not in ALERTS


@given(before=st.sampled_from(OTHERS), steps=st.lists(ALERT | OK | LOOK | LOST, max_size=12))
def test_a_topic_that_nobody_else_changes_is_the_alert_while_there_is_one_and_then_what_it_was(
    before: str, steps: list[tuple[str, str]]
) -> None:
    channel = Channel(before)
    for what, text in steps:
        channel.happens(what, text)
    channel.settle()
    assert channel.topic == (before if channel.wanted is None else channel.wanted)


@given(before=st.sampled_from(OTHERS), steps=st.lists(ALERT | OK | LOOK | MEET | END, max_size=14))
def test_after_a_meeting_the_topic_is_the_alert_if_it_is_still_on_or_else_what_it_was_before_both(
    before: str, steps: list[tuple[str, str]]
) -> None:
    channel = Channel(before)
    for what, text in steps:
        channel.happens(what, text)
        channel.look()
        assert channel.wanted is not None or channel.topic not in ALERTS
    channel.happens("end", "")
    channel.settle()
    assert channel.topic == (before if channel.wanted is None else channel.wanted)
    channel.happens("ok", "")
    channel.settle()
    assert channel.topic == before


def test_an_alert_that_is_told_again_in_the_same_words_stands_again() -> None:
    channel = Channel("welcome")
    for what, text in (("alert", "Gerrit is down"), ("ok", ""), ("topic", "come in"), ("alert", "Gerrit is down")):
        channel.happens(what, text)
        channel.settle()
    assert channel.topic == "Gerrit is down"
    channel.happens("ok", "")
    channel.settle()
    assert channel.topic == "come in"


def test_a_meeting_has_its_topics_to_itself_but_for_the_first_word_of_a_new_alert() -> None:
    channel = Channel("welcome")
    channel.happens("meet", "doors")
    channel.happens("alert", "Gerrit is down")
    channel.settle()
    assert channel.topic == "Gerrit is down"
    channel.happens("meet", "windows")
    channel.settle()
    assert channel.topic == "windows"
    channel.happens("ok", "")
    channel.settle()
    assert channel.topic == "windows"


@given(before=st.sampled_from(OTHERS), new=st.sampled_from(OTHERS), alert=st.sampled_from(ALERTS))
def test_a_meeting_that_began_during_an_alert_does_not_bring_it_back(before: str, new: str, alert: str) -> None:
    channel = Channel(before)
    channel.happens("alert", alert)
    channel.settle()
    at_start = channel.topic
    channel.happens("topic", new)
    channel.happens("ok", "")
    channel.settle()
    assert channel.topic == new
    channel.happens("topic", at_start)
    channel.settle()
    assert channel.topic not in ALERTS
