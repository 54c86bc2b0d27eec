# SPDX-License-Identifier: Apache-2.0
"""Configuration is changed in place: what is named changes, everything else stays as it was written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gatebot.review.config.editing import with_section, with_values, without_section
from gatebot.review.config.syntax import parse

TEXT = """\
# ours
[project]
\tdescription = one ; two
[access "refs/heads/*"]
\tread = group A
\t# why
\tread = group B
[receive] requireChangeId = true

[label "Docs"]
\tvalue = 0 None \\
 at all
\tvalue = +1 Good
"""


def test_an_entry_changes_in_its_place_and_nothing_else_does() -> None:
    changed = with_values(TEXT, "access", "refs/heads/*", "read", ["group C"])
    assert changed == TEXT.replace("\tread = group A\n\t# why\n\tread = group B\n", "\t# why\n\tread = group C\n")
    assert with_values(TEXT, "project", None, "state", ["read only"]).startswith(
        "# ours\n[project]\n\tdescription = one ; two\n\tstate = read only\n[access"
    )
    assert with_values(TEXT, "receive", None, "requireChangeId", ["false"]).splitlines()[7:9] == [
        "[receive]", "\trequireChangeId = false"
    ]  # fmt: skip
    assert with_values(TEXT, "submit", None, "action", ["merge always"]).endswith(
        "\n[submit]\n\taction = merge always\n"
    )
    assert with_values("", "a", "b", "c", []) == ""


def test_a_section_goes_with_all_its_lines() -> None:
    left = without_section(TEXT, "label", "Docs")
    assert left == TEXT[: TEXT.index("\n[label")]
    assert with_section(TEXT, "label", "Docs", ["value = 0 x"]) == left + '[label "Docs"]\n\tvalue = 0 x\n'
    assert with_section(left, "label", "Docs", []) == left


VALUE = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12)


@given(st.lists(VALUE, max_size=3), st.sampled_from([("project", None), ("access", "refs/heads/*"), ("new", 'a"\\b')]),
       st.sampled_from(["description", "read", "other"]))  # fmt: skip
def test_what_is_written_is_read_back_and_the_rest_with_it(
    values: list[str], place: tuple[str, str | None], name: str
) -> None:
    before, _ = parse(TEXT, "")
    after, troubles = parse(with_values(TEXT, *place, name, values), "")
    assert troubles == ()
    assert [one.value for one in after.all(place[0], name, place[1])] == values
    keep = [(e.section, e.subsection, e.name, e.value) for e in before.entries]
    others = [one for one in keep if one[:3] != (place[0], place[1], name)]
    assert [
        k for e in after.entries if (k := (e.section, e.subsection, e.name, e.value))[:3] != (*place, name)
    ] == others
