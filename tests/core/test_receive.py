# SPDX-License-Identifier: Apache-2.0
"""What a push means, told by tables: commands, options, Change-Ids, patch sets, Gerrit's refusals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gatebot.reasons import reason
from gatebot.review import change_id
from gatebot.review.model import ZERO, Change, Kind, Status
from gatebot.review.push_options import Options
from gatebot.review.push_plan import names, plan
from gatebot.review.push_policy import Policy
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
    sort,
)
from gatebot.review.report_text import ReportText

A, B = "a" * 40, "b" * 40
NOW = datetime(2026, 11, 22, tzinfo=UTC)
NOTHING = Known({}, {})
STRICT = Rights(policy=Policy(strict_change_id=True))
PUSH = ForReview(Command(ZERO, A, "refs/for/main"), "main", Options())


def name(digit: str) -> str:
    return "I" + digit * 40


def commit(id: str, change: str | None = "1", *parents: str, tree: str = "t", subject: str = "Subject") -> CommitFacts:
    footer = f"\n\nChange-Id: {name(change)}\n" if change else "\n"
    email = "mina@example.org"
    return CommitFacts(id, tree, parents or (B,), subject, subject + footer, "Mina", email, email)


def existing(number: int, current: CommitFacts, status: Status = Status.NEW, branch: str = "main") -> Existing:
    change = Change(number, "p", branch, name("1"), current.subject, status, 1, 1, NOW, NOW)
    return Existing(change, current, f"http://x/{number}", frozenset({current.id}))


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
    known = Known({name("1"): [change]}, {below.id: [lower]})
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


def test_nothing_new_is_refused() -> None:
    old = commit("1" * 40)
    assert first(plan(PUSH, [], NOTHING, Rights())) == "no new changes"
    known = Known({name("1"): [existing(5, old)]}, {old.id: [existing(5, old)]})
    assert first(plan(PUSH, [old], known, Rights())) == "no new changes"
    older = Known({}, {old.id: [existing(5, commit("2" * 40))]})
    answer = plan(PUSH, [old], older, Rights())
    assert isinstance(answer, Refused)
    assert answer.refusals[0].hint == reason("review.push-old-patch-set", url="http://x/5")


@pytest.mark.parametrize(
    ("asked", "commands"),
    [
        (Options(reviewers=("bob",)), ""),
        (Options(wip=False), ""),
        (Options(wip=True, reviewers=("bob",)), "  curl -u NAME -X POST http://x/a/changes/5/wip"),
        (Options(private=False), "  curl -u NAME -X DELETE http://x/a/changes/5/private"),
        (
            Options(topic="it's {}"),
            "  curl -u NAME -X PUT -H 'Content-Type: application/json' "
            """-d '{"topic": "it'"'"'s {}"}' http://x/a/changes/5/topic""",
        ),
    ],
)
def test_what_is_asked_for_an_unchanged_commit_is_done_elsewhere(asked: Options, commands: str) -> None:
    old = commit("1" * 40)
    here = replace(existing(5, old), url="http://x/c/p/+/5")
    answer = plan(replace(PUSH, options=asked), [old], Known({name("1"): [here]}, {old.id: [here]}), Rights())
    assert isinstance(answer, Refused)
    told = {"url": here.url} | ({"commands": commands} if commands else {})
    id = "review.push-asked" if commands else "review.push-asked-page"
    assert answer.refusals[0].hint == reason(id, **told)
    over = plan(
        replace(PUSH, options=asked), [old], Known({name("1"): [here]}, {old.id: [here]}), Rights(ssh=True)
    )  # fmt: skip
    assert isinstance(over, Refused)
    assert over.refusals[0].hint == reason(f"{id}-ssh", **told), "commands over SSH are named where there is SSH"


def test_a_commit_of_another_branch_needs_a_base_to_be_a_change_here_too() -> None:
    old = commit("1" * 40)
    known = Known({}, {old.id: [existing(5, old, branch="stable")]})
    answer = plan(PUSH, [old], known, Rights())
    hint = reason("review.push-other-branch", url="http://x/5", branch="main", base=B)
    assert answer == Refused((Refusal("no new changes", hint),))
    based = replace(PUSH, options=Options(base=(B,)))
    assert plan(based, [old], known, Rights()) == Plan((Step(old, name("1")),))
    here = Known({name("1"): [existing(6, old)]}, {old.id: [existing(5, old, branch="stable")]})
    assert first(plan(based, [old], here, Rights())) == "no new changes"


def test_what_speaks_against_a_commit_is_named() -> None:
    one = commit("1" * 40)
    no_id = commit("3" * 40, None)
    merge = commit("4" * 40, "4", A, B)
    closed = Known({name("1"): [existing(5, commit("2" * 40), Status.MERGED)]}, {})
    twice = Known({name("1"): [existing(5, commit("2" * 40)), existing(6, commit("6" * 40))]}, {})
    foreign = replace(NOTHING, foreign=frozenset({"mina@example.org"}))
    banned = replace(NOTHING, banned=frozenset({one.id}))
    signed = Rights(policy=Policy(signed_off_by=True), email="mina@example.org")
    assert first(plan(PUSH, [one], closed, Rights())) == "change http://x/5 closed"
    assert first(plan(PUSH, [one], twice, Rights())) == f"{name('1')} has duplicates"
    assert first(plan(PUSH, [no_id], NOTHING, STRICT)) == "commit 3333333: missing Change-Id in message footer"
    assert (
        first(plan(PUSH, [merge], NOTHING, Rights(merges=False)))
        == "commit 4444444: you are not allowed to upload merges"
    )
    assert first(plan(PUSH, [one], foreign, Rights())) == "commit 1111111: invalid committer"
    assert first(plan(PUSH, [one], foreign, Rights(forge_author=False))) == "commit 1111111: invalid author"
    assert isinstance(plan(PUSH, [one], foreign, Rights(forge_committer=True)), Plan)
    assert first(plan(PUSH, [one], banned, Rights())) == f"commit 1111111: contains banned commit {one.id}"
    assert first(plan(PUSH, [one], NOTHING, signed)) == (
        "commit 1111111: not Signed-off-by author/committer/uploader in message footer"
    )
    line = replace(one, message=one.message + "Signed-off-by: Mina <mina@example.org>\n")
    assert isinstance(plan(PUSH, [line], NOTHING, signed), Plan)


@pytest.mark.parametrize(
    ("options", "rights", "text", "advice"),
    [
        (
            Options(),
            Rights(read=False),
            "read on refs/heads/main",
            "You need 'Read' rights to fetch or clone this ref.",
        ),
        (
            Options(),
            Rights(review=False),
            "create change on refs/heads/main",
            "You need 'Create Change' rights to upload code review requests.\n"
            "Verify that you are pushing to the right branch.",
        ),
        (
            Options(submit=True),
            Rights(submit=False),
            "update by submit on refs/heads/main",
            "You need 'Submit' rights on refs/for/ to submit changes during change upload.",
        ),
    ],
)
def test_a_missing_right_is_told_with_gerrits_advice(options: Options, rights: Rights, text: str, advice: str) -> None:
    answer = plan(replace(PUSH, options=options), [commit(A)], NOTHING, rights)
    assert isinstance(answer, Refused)
    assert answer.refusals[0].status == f"prohibited by Gerrit: not permitted: {text}"
    assert answer.refusals[0].advice == advice


def test_a_change_of_somebody_else_is_left_to_him_without_the_right() -> None:
    known = Known({name("1"): [existing(5, commit("1" * 40))]}, {})
    new, mine, others = commit("2" * 40), Rights(account=1, add_patch_set=False), Rights(account=2)
    assert isinstance(plan(PUSH, [new], known, mine), Plan)
    assert first(plan(PUSH, [new], known, replace(others, add_patch_set=False))) == "cannot add patch set to 5."
    wip = replace(PUSH, options=Options(wip=True))
    assert first(plan(wip, [new], known, replace(others, toggle_wip=False))) == (
        "only users with Toggle-Wip-State permission can modify Work-in-Progress"
    )
    assert isinstance(plan(wip, [new], known, mine), Plan)


def test_an_edit_is_of_a_change_that_is_here_and_a_merged_one_is_new() -> None:
    new, known = commit("2" * 40), Known({name("1"): [existing(5, commit("1" * 40))]}, {})
    edit, merged = replace(PUSH, options=Options(edit=True)), replace(PUSH, options=Options(merged=True))
    assert first(plan(edit, [new], NOTHING, Rights())) == "edit is not supported for new changes"
    assert isinstance(plan(edit, [new], known, Rights()), Plan)
    assert isinstance(plan(merged, [new], NOTHING, Rights()), Plan)
    assert first(plan(merged, [new], known, Rights())) == "change http://x/5 closed"


def test_a_change_cannot_stand_on_itself() -> None:
    old, new = commit("1" * 40), commit("2" * 40, "1", "1" * 40)
    known = Known({name("1"): [existing(5, old)]}, {old.id: [existing(5, old)]})
    assert first(plan(PUSH, [old, new], known, Rights())).startswith("same Change-Id in multiple changes.\nSquash")


def test_a_commit_without_change_id_gets_one_that_its_next_version_gets_too() -> None:
    one, two = commit("1" * 40, None), commit("2" * 40, None, "1" * 40)
    answer = plan(PUSH, [one, two], NOTHING, Rights())
    assert isinstance(answer, Plan)
    assert [step.given for step in answer.steps] == [True, True]
    assert answer.steps[0].change_id != answer.steps[1].change_id, "two commits alike are two changes"
    amended = replace(one, id="3" * 40, tree="other", parents=(A,))
    assert names([amended])[amended.id] == names([one])[one.id]
    reworded = replace(amended, subject="Better")
    assert names([reworded])[reworded.id] != names([one])[one.id]
    footer = replace(one, id="4" * 40, message=f"S\n\nChange-Id: {names([one])[one.id][0]}\n")
    assert names([footer, one])[one.id] != names([footer, one])[footer.id], (
        "an id that is written belongs to its commit"
    )


def test_a_commit_to_which_a_hook_gave_another_change_id_makes_no_second_change() -> None:
    bare, hooked = commit("1" * 40, None), commit("2" * 40, "2")
    made = change_id.derive(bare.author, bare.author_email, bare.authored, bare.subject)
    mine = existing(5, bare)
    mine = replace(mine, change=replace(mine.change, change_id=made))
    ann = Rights(account=mine.change.owner)
    tip = replace(PUSH, command=Command(ZERO, hooked.id, "refs/for/main"))
    answer = plan(tip, [hooked], Known({made: [mine]}, {}), ann)
    assert first(answer) == "commit 2222222: this commit is change http://x/5 already, under another Change-Id"
    assert isinstance(answer, Refused)
    replacing = "git -c trailer.ifExists=replace commit --amend --no-edit --trailer Change-Id:"
    assert answer.refusals[0].hint == reason("review.push-second", command=f"{replacing}{made}")

    above = commit("3" * 40, "3", hooked.id, subject="More")
    answer = plan(PUSH, [hooked, above], Known({made: [mine]}, {}), ann)
    assert isinstance(answer, Refused)
    line = f"GIT_SEQUENCE_EDITOR='sed -i -e \"/^pick 2222222/a exec {replacing}{made}\"' git rebase -i {B[:10]}"
    assert [one.hint for one in answer.refusals] == [reason("review.push-second", command=line)]

    named = replace(mine, current=commit("1" * 40, "1"))
    closed = replace(mine, change=replace(mine.change, status=Status.ABANDONED))
    for known, rights in (([closed], ann), ([mine], Rights(account=99)), ([named], ann)):
        assert plan(tip, [hooked], Known({made: known}, {}), rights) == Plan((Step(hooked, name("2")),))


def test_a_change_id_twice_in_one_push_is_refused() -> None:
    answer = plan(PUSH, [commit("1" * 40), commit("2" * 40, "1", "1" * 40)], NOTHING, Rights())
    assert first(answer).startswith("same Change-Id in multiple changes.\nSquash the commits")


def test_too_many_commits_are_refused_and_all_flaws_told_at_once() -> None:
    many = [commit(f"{number:040x}", None) for number in range(3)]
    assert first(plan(PUSH, many, NOTHING, Rights(max_commits=2))) == (
        "the number of pushed changes in a batch exceeds the max limit 2"
    )
    answer = plan(PUSH, many, NOTHING, STRICT)
    assert isinstance(answer, Refused)
    assert len(answer.refusals) == 3


def test_votes_of_a_push_keep_to_the_range() -> None:
    push = replace(PUSH, options=Options(labels=(("Code-Review", 2),)))
    rights = Rights(labels={"Code-Review": (-1, 1)})
    assert first(plan(push, [commit(A)], NOTHING, rights)) == 'applying label "Code-Review": 2 is restricted'
    assert first(plan(push, [commit(A)], NOTHING, Rights())) == 'label "Code-Review" is not a configured label'
    narrow = replace(rights, values={"Code-Review": (-1, 1)})
    assert first(plan(push, [commit(A)], NOTHING, narrow)) == 'label "Code-Review": 2 is not a valid value'
    assert isinstance(plan(push, [commit(A)], NOTHING, Rights(labels={"Code-Review": (-2, 2)})), Plan)


def packet(payload: bytes) -> bytes:
    return f"{len(payload) + 4:04x}".encode() + payload


def test_the_cause_of_a_refusal_replaces_gits_words_for_each_reference() -> None:
    ng = [b"ng refs/for/main pre-receive hook declined\n", b"ng refs/changes/1 deny updating a hidden ref\n"]
    inner = packet(b"unpack ok\n") + b"".join(map(packet, ng)) + b"0000"
    stream = packet(b"\x02say\n") + packet(b"\x01" + inner) + b"0000"
    text = ReportText()
    text.causes = {"": "no new\nchanges", "refs/changes/1": "not permitted"}
    out = b"".join(text.feed(stream[start : start + 7]) for start in range(0, len(stream), 7)) + text.end()
    told = packet(b"ng refs/for/main no new\nchanges\n") + packet(b"ng refs/changes/1 not permitted\n")
    assert out == packet(b"\x02say\n") + packet(b"\x01" + packet(b"unpack ok\n") + told + b"0000") + b"0000"


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
    text.causes = {"": "x" * 200}
    sent = text.feed(f"{len(lines) + 5:04x}\x01".encode() + lines)
    sizes: list[int] = []
    while sent:
        sizes.append(int(sent[:4], 16))
        sent = sent[sizes[-1] :]
    assert len(sizes) == 3
    assert max(sizes) == 65_520
