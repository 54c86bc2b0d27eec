# SPDX-License-Identifier: Apache-2.0
"""Laws of pushes: whatever a client sends is understood or refused with a sentence that git can carry."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gatebot.review import change_id, push_direct, push_options, push_says
from gatebot.review.model import ZERO
from gatebot.review.push import Pushed
from gatebot.review.push_direct import Facts, Thing
from gatebot.review.push_options import BadOption
from gatebot.review.receive import Command, Directly, ForReview, Known, Refused, Rights, sort

ids = st.sampled_from([ZERO, "a" * 40, "b" * 40])
words = st.sampled_from(
    ["topic", "t", "r", "l", "m", "wip", "ready", "private", "base", "merged", "notify", "help", "trace", "x", "-e", ""]
)
values = st.one_of(st.none(), st.text(max_size=12), st.sampled_from(["true", "off", "a" * 40, "Code-Review+2", "ALL"]))
options = st.tuples(words, values).map(lambda pair: pair[0] if pair[1] is None else f"{pair[0]}={pair[1]}")
refs = st.one_of(
    st.sampled_from(["refs/heads/main", "refs/tags/1", "refs/meta/config", "refs/changes/01/1/1", "refs/for/x"]),
    st.text(max_size=20).map("refs/for/{}".format),
    st.text(max_size=20).map("refs/{}".format),
)
commands = st.lists(st.builds(Command, ids, ids, refs), min_size=1, max_size=4)


@given(commands, st.lists(options, max_size=3))
def test_a_push_is_of_one_kind_or_refused(pushed: list[Command], said: list[str]) -> None:
    match sort(pushed, said):
        case ForReview(command, branch, _):
            assert command in pushed
            assert command.new != ZERO
            assert not branch.startswith("refs/heads/") or branch.startswith("refs/heads/refs/heads/")
        case Directly(commands):
            assert list(commands) == pushed
        case Refused() as refused:
            assert all(refused.of(command.ref) is not None for command in pushed)
            told = push_says.report(pushed, refused)
            assert len(told) == len(pushed)
            assert not any("\n" in line.removeprefix(f"ng {one.ref} ") for line, one in zip(told, pushed, strict=True))


@given(st.lists(options, max_size=5))
def test_options_behind_the_branch_and_beside_it_mean_the_same(said: list[str]) -> None:
    plain = [word for word in said if "," not in word and word]

    def read(suffix: str, pushed: list[str]) -> object:
        try:
            return push_options.parse(suffix, pushed)
        except BadOption as error:
            return str(error)

    assert read(",".join(plain), []) == read("", plain)


facts = st.builds(
    Facts,
    thing=st.sampled_from(Thing),
    allowed=st.booleans(),
    forced=st.booleans(),
    may_force=st.booleans(),
    skip=st.booleans(),
    may_skip=st.booleans(),
)


@given(st.builds(Command, ids, ids, refs), facts)
def test_what_may_move_was_permitted(command: Command, known: Facts) -> None:
    refusal = push_direct.check(command, known, Known({}, {}), Rights())
    if refusal is None:
        assert known.allowed
        assert not known.forced or known.may_force
        assert command.ref.startswith(("refs/heads/", "refs/tags/")) or command.ref == "refs/meta/config"
    else:
        assert refusal.ref == command.ref
        told = push_says.success(Pushed((), Refused((refusal,))), lambda _: "", commands=[command])
        assert "Processing changes: refs: 1, done" in told


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=10), st.text(max_size=30), st.integers(0, 5))
def test_a_made_up_change_id_is_one_and_is_free(author: str, email: str, when: str, subject: str, many: int) -> None:
    taken: frozenset[str] = frozenset()
    for _ in range(many + 1):
        made = change_id.derive(author, email, when, subject, taken)
        assert change_id.is_valid(made)
        assert made not in taken
        taken |= {made}


@given(st.text(max_size=80))
def test_a_short_subject_is_told_whole(subject: str) -> None:
    assert push_says.cropped(subject) == subject


@given(st.text(alphabet="ab \t", min_size=81, max_size=200))
def test_a_long_subject_is_cut_as_gerrit_cuts_it(subject: str) -> None:
    cut = push_says.cropped(subject)
    assert cut.endswith("...")
    assert len(cut) <= 80
    assert subject.startswith(cut[:-3])
    # At a blank where one is near: else as late as it may be.
    assert cut[:-3][-1:].isspace() or len(cut) == 80
