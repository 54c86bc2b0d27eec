# SPDX-License-Identifier: Apache-2.0
"""What a push means, told by tables: commands, options, Change-Ids, patch sets, Gerrit's refusals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gatebot.reasons import reason
from gatebot.review import change_id, push_options
from gatebot.review.model import ZERO, Change, Kind, Status
from gatebot.review.push_options import BadOption, Options
from gatebot.review.receive import (
    Command,
    CommitFacts,
    Directly,
    Existing,
    ForReview,
    Known,
    Plan,
    Refusal,
    Refused,
    Rights,
    Step,
    check_direct,
    plan,
    sort,
)
from gatebot.review.report_text import ReportText

A, B = "a" * 40, "b" * 40
NOW = datetime(2026, 11, 22, tzinfo=UTC)
NOTHING = Known({}, {})
PUSH = ForReview(Command(ZERO, A, "refs/for/main"), "main", Options())


def name(digit: str) -> str:
    return "I" + digit * 40


def commit(id: str, change: str | None = "1", *parents: str, tree: str = "t", subject: str = "Subject") -> CommitFacts:
    footer = f"\n\nChange-Id: {name(change)}\n" if change else "\n"
    email = "mina@example.org"
    return CommitFacts(id, tree, parents or (B,), subject, subject + footer, "Mina", email, email)


def existing(number: int, current: CommitFacts, status: Status = Status.NEW, branch: str = "main") -> Existing:
    change = Change(number, "p", branch, name("1"), current.subject, status, 1, 1, NOW, NOW)
    return Existing(change, current, f"http://x/{number}")


def first(answer: Plan | Refused) -> str:
    assert isinstance(answer, Refused)
    return answer.refusals[0].status


@pytest.mark.parametrize(
    ("message", "found"),
    [
        (f"S\n\nChange-Id: {name('1')}\n", name("1")),
        (f"S\n\nB\n\nSigned-off-by: x\nChange-Id: {name('a')}", name("a")),
        (f"S\n\nChange-Id: {name('1')}  \n\n\n", name("1")),
        ("S\n\nBody\n", "missing Change-Id in message footer"),
        (f"Change-Id: {name('1')}\n", "missing subject; Change-Id must be in message footer"),
        (f"S\n\nChange-Id: {name('1')}\n\nBody\n", "Change-Id must be in message footer"),
        (f"S\n\nChange-Id: {name('1')}\nChange-Id: {name('2')}\n", "multiple Change-Id lines in message footer"),
        ("S\n\nChange-Id: I123\n", "invalid Change-Id line format in message footer"),
        (f"S\n\nChange-Id: {name('0')}\n", "invalid Change-Id line format in message footer"),
    ],
)
def test_a_change_id_is_read_or_its_flaw_named(message: str, found: str) -> None:
    answer = change_id.read(message)
    assert (answer if isinstance(answer, str) else answer.text) == found


@pytest.mark.parametrize(
    ("suffix", "pushed", "expected"),
    [
        ("", (), Options()),
        ("topic=a,r=bob,cc=c@d.e,t=#x", ("hashtag=y",), Options("a", ("x", "y"), ("bob",), ("c@d.e",))),
        (
            "l=Code-Review+2,label=Verified-1,l=Workflow",
            (),
            Options(labels=(("Code-Review", 2), ("Verified", -1), ("Workflow", 1))),
        ),
        ("m=a+b_c%2C", (), Options(message="a b c,")),
        ("wip,private,submit", (), Options(wip=True, private=True, submit=True)),
        ("ready,remove-private", ("notify=NONE",), Options(wip=False, private=False)),
        ("topic=", (), Options(topic="")),
    ],
)
def test_options_are_read_by_all_their_names(suffix: str, pushed: tuple[str, ...], expected: Options) -> None:
    assert push_options.parse(suffix, pushed) == expected


@pytest.mark.parametrize(
    ("suffix", "sentence"),
    [
        ("nonsense", '"--nonsense" is not a valid option'),
        ("wip,ready", "the options 'wip' and 'ready' are mutually exclusive"),
        ("private,remove-private", "the options 'private' and 'remove-private' are mutually exclusive"),
        ("topic=" + "x" * 2049, "topic length exceeds the limit (2048)"),
        ("l=+2", '"+2" is not a valid label'),
    ],
)
def test_an_option_that_cannot_be_is_refused(suffix: str, sentence: str) -> None:
    with pytest.raises(BadOption) as error:
        push_options.parse(suffix, ())
    assert str(error.value) == sentence


def test_commands_are_sorted_into_reviews_and_direct_pushes() -> None:
    review = Command(ZERO, A, "refs/for/refs/heads/dev/x%topic=t")
    assert sort([review], []) == ForReview(review, "dev/x", Options(topic="t"))
    direct = Command(B, A, "refs/heads/main")
    assert sort([direct], []) == Directly((direct,))


@pytest.mark.parametrize(
    ("refs", "text"),
    [
        (("refs/for/main", "refs/heads/x"), "cannot combine normal pushes and magic pushes"),
        (("refs/for/main", "refs/for/dev"), "duplicate request"),
        (("refs/changes/01/1/1",), "prohibited by Gerrit: not permitted: update refs/changes/01/1/1"),
        (("refs/meta/config",), "prohibited by Gerrit: not permitted: update refs/meta/config"),
    ],
)
def test_commands_that_cannot_be_are_refused(refs: tuple[str, ...], text: str) -> None:
    answer = sort([Command(ZERO, A, ref) for ref in refs], [])
    assert isinstance(answer, Refused)
    assert answer.refusals[0].text == text


def test_refs_for_cannot_be_deleted() -> None:
    answer = sort([Command(A, ZERO, "refs/for/main")], [])
    assert answer == Refused((Refusal("cannot delete", reason("review.push-delete-magic")),))


def test_new_commits_become_changes_in_order() -> None:
    one, two = commit("1" * 40, "1"), commit("2" * 40, "2", "1" * 40)
    assert plan(PUSH, [one, two], NOTHING, Rights()) == Plan((Step(one, name("1")), Step(two, name("2"))))


def test_a_known_change_id_gets_a_patch_set_and_an_unchanged_commit_none() -> None:
    old, new, below = commit("1" * 40), commit("2" * 40, tree="other"), commit("3" * 40, "3")
    change, lower = existing(5, old), existing(4, below)
    known = Known({name("1"): [change]}, {below.id: lower})
    assert plan(PUSH, [below, new], known, Rights()) == Plan((Step(new, name("1"), change),))


@pytest.mark.parametrize(
    ("new", "kind", "warning"),
    [
        (commit("2" * 40), Kind.NO_CHANGE, "warning: no changes between prior commit 1111111 and new commit 2222222"),
        (
            commit("2" * 40, subject="Better"),
            Kind.NO_CODE_CHANGE,
            "warning: 2222222: no files changed, message updated",
        ),
        (commit("2" * 40, "1", A), Kind.REWORK, "warning: 2222222: no files changed, was rebased"),
        (
            replace(commit("2" * 40), author="Bob"),
            Kind.NO_CHANGE,
            "warning: 2222222: no files changed, author changed",
        ),
    ],
)
def test_a_patch_set_without_new_content_is_remarked(new: CommitFacts, kind: Kind, warning: str) -> None:
    known = Known({name("1"): [existing(5, commit("1" * 40))]}, {})
    answer = plan(PUSH, [new], known, Rights())
    assert isinstance(answer, Plan)
    assert (answer.steps[0].kind, answer.warnings) == (kind, (warning,))


def test_nothing_new_is_refused_in_two_ways() -> None:
    old = commit("1" * 40)
    assert first(plan(PUSH, [], NOTHING, Rights())) == "no new changes"
    known = Known({name("1"): [existing(5, old)]}, {old.id: existing(5, old)})
    assert first(plan(PUSH, [old], known, Rights())) == "commit(s) already exists (as current patchset)"


def test_the_same_commit_may_be_a_change_of_another_branch() -> None:
    old = commit("1" * 40)
    known = Known({}, {old.id: existing(5, old, branch="stable")})
    assert plan(PUSH, [old], known, Rights()) == Plan((Step(old, name("1")),))


def test_what_speaks_against_a_commit_is_named() -> None:
    one = commit("1" * 40)
    old = existing(5, commit("2" * 40))
    no_id = commit("3" * 40, None)
    merge = commit("4" * 40, "4", A, B)
    closed = Known({name("1"): [existing(5, commit("2" * 40), Status.MERGED)]}, {})
    twice = Known({name("1"): [existing(5, commit("2" * 40)), existing(6, commit("6" * 40))]}, {})
    foreign = replace(NOTHING, foreign=frozenset({"mina@example.org"}))
    assert first(plan(PUSH, [one], closed, Rights())) == "change http://x/5 closed"
    assert first(plan(PUSH, [one], twice, Rights())) == f"commit 1111111: {name('1')} has duplicates"
    assert first(plan(PUSH, [no_id], NOTHING, Rights())) == "commit 3333333: missing Change-Id in message footer"
    assert (
        first(plan(PUSH, [merge], NOTHING, Rights(merges=False)))
        == "commit 4444444: you are not allowed to upload merges"
    )
    assert first(plan(PUSH, [one], foreign, Rights())) == "commit 1111111: invalid committer"
    assert isinstance(plan(PUSH, [one], foreign, Rights(forge_committer=True)), Plan)
    assert first(plan(PUSH, [one], Known({name("1"): [old]}, {one.id: old}), Rights())) == (
        "commit 1111111: commit already exists (in the change)"
    )
    assert first(plan(PUSH, [one], NOTHING, Rights(review=False))) == (
        "prohibited by Gerrit: not permitted: create change on refs/heads/main"
    )


def test_a_change_id_twice_in_one_push_is_refused() -> None:
    answer = plan(PUSH, [commit("1" * 40), commit("2" * 40, "1", "1" * 40)], NOTHING, Rights())
    assert first(answer).startswith("commit 2222222: same Change-Id in multiple changes.\nSquash the commits")


def test_too_many_commits_are_refused_and_all_flaws_told_at_once() -> None:
    many = [commit(f"{number:040x}", None) for number in range(3)]
    assert first(plan(PUSH, many, NOTHING, Rights(max_commits=2))) == (
        "the number of pushed changes in a batch exceeds the max limit 2"
    )
    answer = plan(PUSH, many, NOTHING, Rights())
    assert isinstance(answer, Refused)
    assert len(answer.refusals) == 3


def test_votes_of_a_push_keep_to_the_range() -> None:
    push = replace(PUSH, options=Options(labels=(("Code-Review", 2),)))
    rights = Rights(labels={"Code-Review": (-1, 1)})
    assert first(plan(push, [commit(A)], NOTHING, rights)) == 'Applying label "Code-Review": 2 is restricted'
    assert first(plan(push, [commit(A)], NOTHING, Rights())) == 'label "Code-Review" is not a configured label'
    assert isinstance(plan(push, [commit(A)], NOTHING, Rights(labels={"Code-Review": (-2, 2)})), Plan)


def test_a_direct_push_needs_the_right_and_force_needs_more() -> None:
    update = Command(A, B, "refs/heads/main")
    assert check_direct(update, allowed=True, forced=False, may_force=False, default="main") is None
    denied = check_direct(update, allowed=False, forced=False, may_force=False, default="main")
    assert denied == Refusal(
        "prohibited by Gerrit: not permitted: update refs/heads/main", reason("review.push-for-review", branch="main")
    )
    for old, new, what in ((ZERO, B, "create"), (A, ZERO, "delete")):
        told = check_direct(
            Command(old, new, "refs/heads/v1"), allowed=False, forced=False, may_force=False, default="m"
        )
        assert told == Refusal(
            f"prohibited by Gerrit: not permitted: {what} refs/heads/v1",
            reason(f"review.push-{what}-branch", branch="v1"),
        )
    forced = check_direct(update, allowed=True, forced=True, may_force=False, default="main")
    assert forced is not None
    assert forced.text == "prohibited by Gerrit: not permitted: force update refs/heads/main"
    gone = check_direct(Command(A, ZERO, "refs/heads/main"), allowed=True, forced=False, may_force=True, default="main")
    assert gone is not None
    assert gone.text == "cannot delete refs/heads/main: it is the default branch"


def packet(payload: bytes) -> bytes:
    return f"{len(payload) + 4:04x}".encode() + payload


def test_the_cause_of_a_refusal_replaces_gits_words() -> None:
    inner = packet(b"unpack ok\n") + packet(b"ng refs/for/main pre-receive hook declined\n") + b"0000"
    stream = packet(b"\x02say\n") + packet(b"\x01" + inner) + b"0000"
    text = ReportText()
    text.cause = "no new changes"
    out = b"".join(text.feed(stream[start : start + 7]) for start in range(0, len(stream), 7)) + text.end()
    expected = packet(b"unpack ok\n") + packet(b"ng refs/for/main no new changes\n") + b"0000"
    assert out == packet(b"\x02say\n") + packet(b"\x01" + expected) + b"0000"


def test_a_stream_without_a_cause_passes_unchanged() -> None:
    text = ReportText()
    stream = packet(b"\x01" + packet(b"ng r pre-receive hook declined\n")) + b"0000" + b"junk that is no packet"
    assert text.feed(stream) + text.end() == stream


def test_a_push_of_more_references_than_the_limit_is_refused() -> None:
    commands = [Command(ZERO, A, f"refs/heads/b{number}") for number in range(3)]
    assert isinstance(sort(commands, (), max_refs=3), Directly)
    found = sort(commands, (), max_refs=2)
    assert isinstance(found, Refused)
    assert found.refusals[0].text == "the number of pushed references exceeds the max limit 2"
    assert found.refusals[0].hint == reason("review.push-too-many-refs", count=3, limit=2)


def test_a_long_report_is_sent_on_in_packets_that_git_can_read() -> None:
    lines = b"".join(
        f"{len(line) + 4:04x}{line}".encode() for line in ["ng refs/tags/t pre-receive hook declined\n"] * 600
    )
    text = ReportText()
    text.cause = "x" * 200
    sent = text.feed(f"{len(lines) + 5:04x}\x01".encode() + lines)
    sizes: list[int] = []
    while sent:
        sizes.append(int(sent[:4], 16))
        sent = sent[sizes[-1] :]
    assert len(sizes) == 3
    assert max(sizes) == 65_520
