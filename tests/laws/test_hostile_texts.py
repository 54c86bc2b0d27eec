# SPDX-License-Identifier: Apache-2.0
"""All that strangers may send as text or packets, thrown at what reads it first: an answer, or a refusal in words.

Half of each input is made of the language's own pieces, so that it comes further than the first letter. `make
test-fuzz` throws a hundred thousand at each reader; here it is some hundreds.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterator
from dataclasses import astuple
from typing import cast

from hypothesis import strategies as st

from gatebot import words
from gatebot.assignment import Json
from gatebot.errors import Invalid, NotPermitted
from gatebot.repo.wants import wants
from gatebot.review import change_id, footers, push_options, query, receive
from gatebot.review.config import whole
from gatebot.review.config.model import GROUPS, PROJECT_CONFIG
from gatebot.review.drafts import draft_from, json_from, reviewers_from
from gatebot.review.labels import expression
from gatebot.review.labels.expression import BadExpression
from gatebot.review.push_options import BadOption
from gatebot.review.query_values import age_seconds, label_term, moment, pattern, size_term
from gatebot.review.receive import Command, ForReview
from gatebot.review.report_text import ReportText
from gatebot.review.ssh import arguments, tokens
from gatebot.review.ssh.arguments import Given, Option
from gatebot.review.ssh.model import Failed
from gatebot.review.ssh.want_guard import WantGuard
from tests.fakes.hostile import Source, cuts, one_of, packets, pieces, several, thrown


def answer_of(read: Callable[[], object]) -> object:
    """What a reader answers; a refusal is an answer, every other error is not."""
    try:
        return read()
    except (Invalid, NotPermitted, BadOption, BadExpression, Failed) as refusal:
        return refusal


def texts(value: object) -> Iterator[str]:
    """Every text within a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for one in cast("tuple[object, ...]", value):
            yield from texts(one)


def in_words(answer: object) -> bool:
    """What was refused can be told; what the site says itself, in both languages."""
    match answer:
        case Invalid(reason=why) | NotPermitted(reason=why) if why is not None:
            return all(words.say(why, language) for language in ("en", "ko"))
        case Exception():
            return bool(str(answer) or isinstance(answer, Failed))
        case _:
            return True


QUERIES = pieces(
    *(f"{name}:" for name in query.OPERATORS),
    " ",
    "AND",
    " OR ",
    "NOT ",
    "-",
    "(",
    ")",
    '"',
    "{",
    "}",
    "\\",
    "^",
    ".*",
    "is:open",
    "label:Code-Review",
    "=MAX",
    ",user=",
    ",count>=",
    "<",
    ">=",
    "2d",
    "2026-01-01",
    "self",
    "limit:",
    "I" * 41,
)


@thrown(text=QUERIES)
def test_a_query_is_read_or_refused_in_words(text: str) -> None:
    answer = answer_of(lambda: query.parse(text))
    assert in_words(answer)
    assert isinstance(answer, (query.Query, Invalid))


@thrown(
    value=pieces(
        "Code-Review",
        "=",
        ">=",
        "<",
        "MAX",
        ",user=",
        "group=",
        "owner",
        "count",
        "d",
        "h",
        "2026-01-01",
        "^",
        "(",
        "[",
        ":",
        " ",
    )
)
def test_a_value_of_a_query_is_read_or_refused_in_words(value: str) -> None:
    readers = (
        lambda: label_term(value),
        lambda: age_seconds(value),
        lambda: moment("after", value),
        lambda: size_term("size", value),
        lambda: pattern("branch", value),
    )
    assert all(in_words(answer_of(reader)) for reader in readers)


OPTIONS = pieces(
    *(f"{name}=" for name in push_options.KNOWN),
    *push_options.KNOWN,
    "%",
    ",",
    "=",
    "true",
    "Code-Review+2",
    "label=",
    "l=",
    "deadline=",
    "1m",
    "ms",
    "hours",
    "notify=",
    "ALL",
    "--",
    "\udcff",
    "%00",
)


@thrown(
    suffix=OPTIONS,
    pushed=several(OPTIONS, 3),
    ref=one_of("refs/for/main", "refs/heads/x", "refs/for/"),
)
def test_a_push_is_sorted_or_refused_in_words(suffix: str, pushed: list[str], ref: str) -> None:
    assert in_words(answer_of(lambda: push_options.parse_request(pushed)))
    answer = receive.sort([Command("0" * 40, "f" * 40, f"{ref}%{suffix}")], pushed)
    match answer:
        case receive.Refused(refusals):
            assert refusals
            assert all(one.text for one in refusals)
        case ForReview(options=options):
            assert ref.startswith("refs/for/")
            assert all(text.isascii() or text.encode() for text in texts(astuple(options)))
            assert not any("\0" in text for text in texts(astuple(options)))
        case receive.Directly():
            assert ref == "refs/heads/x"


@thrown(
    message=pieces("Change-Id: ", "I" + "0" * 40, "\n", "\n\n", ": ", "Signed-off-by: ", "\r", "\0", " ", "Revert ")
)
def test_a_commit_message_has_one_change_id_or_a_flaw(message: str) -> None:
    found = change_id.read(message)
    assert isinstance(found, change_id.Flaw) or found == "" or change_id.is_valid(found)


@thrown(address=pieces("https://", "review.example.org", "/", "#", "c/", "+", "?", "demo", "%2f"))
def test_an_address_names_a_small_number_or_nothing(address: str) -> None:
    found = footers.change_of(address, "https://review.example.org/")
    assert found is None or 0 <= found < 10**9


@thrown(
    text=pieces(
        "label:", "Code-Review=MAX", "is:", "AND ", " OR ", "NOT ", "-", "(", ")", '"', "{", "}", ",user=", "\\"
    )
)
def test_an_expression_of_submit_requirements_is_read_or_refused(text: str) -> None:
    answer = answer_of(lambda: expression.holds(expression.parse(text), lambda _: True))
    assert in_words(answer)
    assert isinstance(answer, (bool, BadExpression))


CONFIG = pieces(
    '[access "refs/*"]\n',
    "[label",
    '"',
    "]",
    "\n",
    "\t",
    "read = ",
    "group ",
    "Registered Users",
    "push = +force ",
    "deny ",
    "-2..+2 ",
    "exclusiveGroupPermissions",
    "[capability]\n",
    "inheritFrom = ",
    "\\\n",
    "#",
    ";",
    "value = ",
    "copyCondition = ",
    "[submit-requirement",
    "submittableIf = ",
    "^refs/(",
    "${username}",
    "\r",
)


@thrown(config=CONFIG, groups=pieces("# UUID\tGroup Name\n", "global:", "Registered-Users", "\t", "\n", " "))
def test_a_configuration_is_read_with_everything_that_is_wrong_in_it(config: str, groups: str) -> None:
    troubles = whole.check("demo", {PROJECT_CONFIG: config, GROUPS: groups}, {"Core": "a" * 40}, {"demo": ""})
    assert all(one.line >= 0 and words.say(one.why, "en") and words.say(one.why, "ko") for one in troubles)


@thrown(
    line=pieces("gerrit", " ", "review", "'", '"', "\\", "--code-review", "+2", "--label=", "-m", "--", "1,1", "\t")
)
def test_a_line_of_a_command_gives_words_that_are_read_or_refused(line: str) -> None:
    split = tokens.split(line)
    known = (Option(("--label", "-l"), "LABEL=VALUE"), Option(("--submit", "-s")), Option(("--message", "-m"), "TEXT"))
    for others, minus in ((True, False), (False, True), (False, False)):
        answer = answer_of(lambda how=(others, minus): arguments.read(known, split, others=how[0], minus=how[1]))
        match answer:
            case Failed(text=told):
                assert told.startswith("fatal: ")
            case Given(rest=rest):
                assert set(rest) <= set(split)
            case _:
                raise AssertionError(answer)


LEAVES = pieces("PUBLISH", "REVIEWER", "true", "+1", "/COMMIT_MSG", "2024-01-01 00:00:00", "Code-Review")
NUMBERS = (0, 1, -1, 7, 2**31, 2**63, -(2**64), 10**40, 0.5, 1e308, float("inf"), float("nan"))
COMMENT = ("line", "message", "side", "unresolved", "in_reply_to", "id", "range", "fix_suggestions", "path", "parent")
RANGE = ("start_line", "end_line", "start_character", "end_character")
BODY = (
    "message", "labels", "tag", "drafts", "ready", "comments", "robot_comments", "reviewers", "work_in_progress",
    "notify", "notify_details", "add_to_attention_set", "remove_from_attention_set",
    "ignore_automatic_attention_set_rules", "omit_duplicate_comments", "strict_labels", "on_behalf_of",
)  # fmt: skip


def any_json(dice: random.Random, depth: int = 3) -> Json:
    """Any value that JSON has."""
    match dice.randrange(8 if depth else 5):
        case 0:
            return dice.choice((None, True, False))
        case 1 | 2:
            return dice.choice(NUMBERS)
        case 3 | 4:
            return LEAVES.draw(dice)
        case 5 | 6:
            return [any_json(dice, depth - 1) for _ in range(dice.randrange(4))]
        case _:
            names = dice.choices((*string.ascii_letters[:6], *BODY, *COMMENT, *RANGE), k=dice.randrange(4))
            return {name: any_json(dice, depth - 1) for name in names}


def some_of(dice: random.Random, names: tuple[str, ...], **known: Callable[[], Json]) -> dict[str, Json]:
    """An object with some of its fields, one in three not as it shall be."""
    chosen = [name for name in names if dice.random() < 0.4]
    return {name: known[name]() if name in known and dice.random() < 0.7 else any_json(dice, 2) for name in chosen}


def any_review(dice: random.Random) -> dict[str, Json]:
    """The body of a review, nearly."""

    def span() -> Json:
        return some_of(dice, RANGE, **dict.fromkeys(RANGE, lambda: dice.randrange(-1, 9)))

    def replacement() -> Json:
        return {"path": "a", "replacement": "", "range": span()}

    def comment() -> Json:
        return some_of(
            dice, COMMENT, line=lambda: dice.randrange(9), message=lambda: LEAVES.draw(dice), range=span,
            fix_suggestions=lambda: [{"description": "x", "replacements": [replacement()]}],
        )  # fmt: skip

    def reviewer() -> Json:
        return some_of(dice, ("reviewer", "state", "confirmed", "user", "reason"), reviewer=lambda: LEAVES.draw(dice))

    def few(one: Callable[[], Json]) -> list[Json]:
        return [one() for _ in range(dice.randrange(3))]

    return some_of(
        dice, BODY, message=lambda: LEAVES.draw(dice), labels=lambda: {"Code-Review": any_json(dice, 1)},
        comments=lambda: {"a.py": few(comment)}, robot_comments=lambda: {"a.py": few(comment)},
        reviewers=lambda: few(reviewer), add_to_attention_set=lambda: few(reviewer),
        remove_from_attention_set=lambda: few(reviewer),
    )  # fmt: skip


# Hypothesis searches by the dice's seed; what it finds is small because the bodies are.
REVIEW = Source(
    st.integers(0, 2**64).map(lambda seed: any_review(random.Random(seed))),
    any_review,
    lambda given: _object(given.ConsumeBytes(given.remaining_bytes())),
    tuple(f'"{name}":'.encode() for name in (*BODY, *COMMENT, *RANGE)),
)


def _object(raw: bytes) -> dict[str, Json]:
    """The JSON object that these bytes are; an empty one where they are none."""
    read = answer_of(lambda: json_from(raw))
    return cast("dict[str, Json]", read) if isinstance(read, dict) else {}


@thrown(body=REVIEW)
def test_a_review_is_read_or_refused_in_words(body: dict[str, Json]) -> None:
    assert in_words(answer_of(lambda: draft_from(body)))
    assert in_words(answer_of(lambda: reviewers_from(body)))


SECRET, PUBLIC = "a" * 40, "b" * 40
PACKETS = packets(
    f"want {SECRET}\n",
    f"want {PUBLIC}\n",
    "command=fetch",
    f"want {SECRET.upper()} thin-pack\n",
    f"have {SECRET}\n",
    odd=(b"0000", b"0001", b"0002", b"0003", b"ffff", b"00_f", b"+004", b"zzzz", b"PACK"),
)


@thrown(packets=PACKETS, cuts=cuts(12))
def test_what_is_secret_is_not_wanted_however_the_packets_are_cut(packets: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(packets)
    at_once, in_parts = WantGuard({SECRET}), WantGuard({SECRET})
    whole_answer = at_once.feed(stream)
    whole_answer += at_once.end()
    parts, rest = b"", stream
    for cut in [*cuts, len(stream)]:
        parts, rest = parts + in_parts.feed(rest[:cut]), rest[cut:]
    parts += in_parts.feed(rest) + in_parts.end()
    assert at_once.refused == in_parts.refused
    assert whole_answer == parts
    assert stream.startswith(parts)
    if all(len(packet) > 4 and len(packet) == _length(packet) for packet in packets):
        assert bool(at_once.refused) == any(packet[4:49].lower() == f"want {SECRET}".encode() for packet in packets)


def _length(packet: bytes) -> int:
    try:
        return int(packet[:4], 16)
    except ValueError:
        return -1


@thrown(packets=PACKETS)
def test_the_wants_of_a_request_are_found_or_it_is_refused(packets: list[bytes]) -> None:
    answer = answer_of(lambda: list(wants(b"".join(packets))))
    assert in_words(answer)
    assert isinstance(answer, Invalid) or all(len(one) <= 0xFFFF for one in answer)


@thrown(packets=PACKETS, cuts=cuts(10))
def test_what_git_reports_passes_whole_however_it_is_cut(packets: list[bytes], cuts: list[int]) -> None:
    rest = stream = b"".join(packets)
    at_once, in_parts = ReportText(), ReportText()
    parts = b""
    for cut in cuts:
        parts, rest = parts + in_parts.feed(rest[:cut]), rest[cut:]
    parts += in_parts.feed(rest) + in_parts.end()
    assert parts == at_once.feed(stream) + at_once.end()
