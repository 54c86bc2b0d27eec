# SPDX-License-Identifier: Apache-2.0
"""Command lines as they arrive over SSH: words, options, and what a fetch may not want."""

from __future__ import annotations

import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatebot.review.ssh import arguments, tokens
from gatebot.review.ssh.arguments import Option
from gatebot.review.ssh.model import Failed
from gatebot.review.ssh.want_guard import WantGuard

OPTIONS = (
    Option(("--message", "-m"), "MESSAGE", "cover message"),
    Option(("--submit", "-s"), about="submit"),
    Option(("--label", "-l"), "LABEL=VALUE", "labels"),
    Option(("--start", "-S"), "N", "skip"),
)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("git-upload-pack '/P'", ("git-upload-pack", "/P")),
        ("git-upload-pack P", ("git-upload-pack", "P")),
        ("gerrit review  --project P", ("gerrit", "review", "--project", "P")),
        ("""review --message 'it'"'"'s' 1,1""", ("review", "--message", "it's", "1,1")),
        ('review --message "hello "w""', ("review", "--message", "hello w")),
        ('gerrit query --format json status:open"', ("gerrit", "query", "--format", "json", "status:open")),
        ("query 'message:{a  b}'", ("query", "message:{a  b}")),
        (r'a\ b "c\"d" e\\f', ("a b", 'c"d', r"e\f")),
        (r"'a\b' c\ ".rstrip() + " ", (r"a\b", "c ")),
        ("--topic ''", ("--topic", "")),
        ("one\ttwo\n three", ("one", "two\n", "three")),
        ("end\\", ("end\\",)),
        ('" ', (" ",)),
        ('"', ()),
        ("", ()),
    ],
)
def test_a_line_is_split_as_gerrit_splits_it(line: str, words: tuple[str, ...]) -> None:
    assert tokens.split(line) == words


@given(st.lists(st.text()))
def test_what_a_shell_quotes_arrives_as_it_was(words: list[str]) -> None:
    assert tokens.split(shlex.join(words)) == tuple(words)


@given(st.text(alphabet=st.sampled_from("ab \t\n\"'\\")))
def test_no_line_is_refused(line: str) -> None:
    assert "".join(tokens.split(line)) in _without_quotes(line)


def _without_quotes(line: str) -> set[str]:
    """Splitting never makes letters: what is left is the line without some of its marks."""
    said = "".join(tokens.split(line))
    left = iter(line)
    return {said} if all(letter in left for letter in said) else set()


def test_options_stand_anywhere_and_in_every_form() -> None:
    found = arguments.read(OPTIONS, ["-m", "hi", "1,1", "--label=Verified=-1", "-l", "A=1", "--submit", "2,1"])
    assert found.text("--message") == "hi"
    assert found.all("--label") == ("Verified=-1", "A=1")
    assert found.has("--submit")
    assert found.rest == ("1,1", "2,1")
    assert not arguments.read(OPTIONS, ["--submit=false"]).has("--submit")
    assert arguments.read(OPTIONS, ["--", "-m", "--help"]).rest == ("-m", "--help")
    assert arguments.read(OPTIONS, ["-h"]).has(arguments.HELP)


def test_a_negated_term_of_a_query_is_no_option() -> None:
    found = arguments.read(OPTIONS, ["status:merged", "-age:30s", "-S", "4"], minus=True)
    assert found.rest == ("status:merged", "-age:30s")
    assert found.number("--start") == 4


def test_labels_are_options_where_they_may_be() -> None:
    found = arguments.read(OPTIONS, ["--verified", "-1", "--code-review=+2", "--looked", "1,2"], others=True)
    assert found.others == (("verified", "-1"), ("code-review", "+2"), ("looked", ""))
    assert found.rest == ("1,2",)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--nonsense"], 'fatal: "--nonsense" is not a valid option'),
        (["-x"], 'fatal: "-x" is not a valid option'),
        (["--message"], 'fatal: Option "--message" takes an operand'),
    ],
)
def test_what_is_wrong_is_told_as_gerrit_tells_it(words: list[str], said: str) -> None:
    with pytest.raises(Failed) as refused:
        arguments.read(OPTIONS, words)
    assert (refused.value.text, refused.value.status) == (said, 1)


def test_a_number_must_be_one() -> None:
    with pytest.raises(Failed, match='fatal: "many" is not a valid value for "--start"'):
        arguments.read(OPTIONS, ["-S", "many"]).number("--start")


def test_help_lists_the_options() -> None:
    assert arguments.usage("gerrit review", "CHANGE", OPTIONS[:2]) == (
        "gerrit review CHANGE [OPTIONS]\n\n --message -m MESSAGE : cover message\n --submit -s : submit\n"
        " --help (-h) : display this help text\n"
    )


SECRET, OPEN = "a" * 40, "b" * 40


def packet(text: str) -> bytes:
    return f"{len(text) + 4:04x}{text}".encode()


@given(st.data())
def test_wants_are_seen_however_the_bytes_arrive(data: st.DataObject) -> None:
    asked = packet("command=fetch\n") + b"0001" + packet(f"want {OPEN}\n") + packet("done\n") + b"0000"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(asked)), max_size=6)))
    guard, heard = WantGuard({SECRET}), b""
    for start, end in zip([0, *cuts], [*cuts, len(asked)], strict=True):
        heard += guard.feed(asked[start:end])
    assert heard + guard.end() == asked
    assert guard.refused == ""


@given(st.integers(1, 60), st.sampled_from(["\n", " multi_ack\n", "\0x", ""]))
def test_git_never_hears_of_a_secret(size: int, tail: str) -> None:
    asked = packet(f"want {OPEN}\n") + packet(f"want {SECRET.upper()}{tail}") + packet("done\n")
    guard, heard = WantGuard({SECRET}), b""
    for start in range(0, len(asked), size):
        heard += guard.feed(asked[start : start + size])
    assert heard + guard.end() == packet(f"want {OPEN}\n")
    assert guard.refused == SECRET


@pytest.mark.parametrize("length", ["zzzz", "+032", " 032", "0_32", "0x32", "-032"])
def test_git_hears_nothing_behind_a_length_that_is_none(length: str) -> None:
    asked = (packet(f"want {OPEN}\n") + length.encode() + packet(f"want {SECRET}\n")) * 2
    for size in (1, 7, len(asked)):
        guard, heard = WantGuard({SECRET}), b""
        for start in range(0, len(asked), size):
            heard += guard.feed(asked[start : start + size])
        assert heard + guard.end() == packet(f"want {OPEN}\n") + length.encode()
        assert guard.refused == ""


def test_what_became_secret_meanwhile_is_neither_given_nor_listed() -> None:
    guard = WantGuard(())
    listing, want = packet("command=ls-refs\n"), packet(f"want {SECRET}\n")
    assert guard.feed(listing + b"0000" + want[:9]) == listing + b"0000"
    guard.learn({SECRET}, same_references=True)
    assert guard.feed(want[9:] + listing) == b""
    assert (guard.refused, guard.outdated) == (SECRET, False)
    other = WantGuard(())
    other.learn((), same_references=False)
    assert (
        other.feed(packet("command=fetch\n") + b"0000" + listing) + other.end() == packet("command=fetch\n") + b"0000"
    )
    assert (other.refused, other.outdated) == ("", True)


@pytest.mark.parametrize("text", ["x", "1.5", "+-1", "9" * 5000, "２"])
def test_a_vote_that_is_no_number_is_refused_in_words(text: str) -> None:
    with pytest.raises(Failed, match=f'^fatal: "{re.escape(text[:40])}" is not a valid value for "--code-review"$'):
        arguments.score("--code-review", text)
    assert [arguments.score("--label", one) for one in ("+2", "-1", "0")] == [2, -1, 0]
