# SPDX-License-Identifier: Apache-2.0
"""A Korean sentence reads as one does that was written for its words; where nobody knows, both forms stand."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from gatebot.particles import Sentence, filled, particle


@pytest.mark.parametrize(
    ("word", "topic", "way"),
    [
        ("변경 7", "은", "로"),
        ("변경 9", "는", "로"),
        ("변경 3", "은", "으로"),
        ("변경 10", "은", "으로"),
        ("회의", "는", "로"),
        ("채널", "은", "로"),
        ("사람", "은", "으로"),
        ("main", "은", "으로"),
        ("demo/api", "는", "로"),
        ("“main”", "은", "으로"),
        ("`9`", "는", "로"),
        ("<code>3</code>", "은", "으로"),
        ("&#34;회의&#34;", "는", "로"),
        ("alice", "은(는)", "(으)로"),
        ("", "은(는)", "(으)로"),
    ],
)
def test_a_particle_follows_the_sound_of_the_word(word: str, topic: str, way: str) -> None:
    assert (particle("은(는)", word), particle("(으)로", word)) == (topic, way)


def test_each_word_of_a_sentence_has_its_own_particle() -> None:
    sentence = Sentence("%(who)s이(가) %(what)s을(를) 100%% %(where)s(으)로 옮깁니다.")
    assert sentence % {"who": "철수", "what": "변경 10", "where": "서울"} == "철수가 변경 10을 100% 서울로 옮깁니다."
    assert sentence % {"who": "alice", "what": "이(가)", "where": "x"} == "alice이(가) 이(가)를 100% x(으)로 옮깁니다."


def test_what_people_write_is_escaped_and_left_as_it_is() -> None:
    told = filled(Markup("<b>%(subject)s</b>은(는) 없습니다."), {"subject": "<i>값이(가)</i>3"})
    assert told == Markup("<b>&lt;i&gt;값이(가)&lt;/i&gt;3</b>은 없습니다.")
    assert isinstance(told, Markup)


def test_a_sentence_without_names_is_filled_as_any_other() -> None:
    assert Sentence("%s이(가) 있습니다") % ("변경 7",) == "변경 7이(가) 있습니다"
