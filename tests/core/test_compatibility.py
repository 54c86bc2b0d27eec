# SPDX-License-Identifier: Apache-2.0
"""docs/zuul-compatibility.md is made from the tests: every scenario of Zuul's, who shows it, and what differs."""

from __future__ import annotations

from pathlib import Path

from tools import compatibility
from tools.compatibility import Scenario, Shown, page

MODULE = """
import pytest
pytestmark = pytest.mark.zuul(3)

@pytest.mark.zuul(1, 2, differs="ours is " "kinder")
def test_a_change_is_merged() -> None: ...

class TestQueues:
    @pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.zuul(4))])
    async def test_it_waits(self, x) -> None: ...
"""


def test_markers_are_read_from_the_source_of_modules_functions_and_parameters(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(compatibility, "ROOT", tmp_path)
    (tmp_path / "test_queue.py").write_text(MODULE)
    assert compatibility.shown([tmp_path / "test_queue.py"]) == [
        Shown((3,), "test_queue.py", "", ""),
        Shown((1, 2), "test_queue.py", "test_a_change_is_merged", "ours is kinder"),
        Shown((4,), "test_queue.py", "test_it_waits", ""),
    ]


def test_the_page_names_the_tests_of_a_scenario_and_says_why_it_differs() -> None:
    listed = [Scenario(1, "S one - given / when / then", "Order"), Scenario(2, "S two", "Window")]
    told = page(listed, [Shown((1,), "tests/a.py", "test_it_waits", "ours is kinder")], "# More\nwords")
    assert "## Order" in told
    assert (
        "| 1 | S one - given / when / then | [it waits](../tests/a.py) | differs on purpose: ours is kinder |" in told
    )
    assert "| 2 | S two | none | not shown |" in told
    assert told.endswith("## More\nwords\n")


def test_the_list_has_all_134_scenarios() -> None:
    numbers = [one.number for one in compatibility.scenarios(compatibility.SCENARIOS.read_text())]
    assert numbers == list(range(1, 135))


def test_every_scenario_is_shown_by_a_test() -> None:
    lines = [f"{one.number}: {one.text}" for one in compatibility.missing()]
    assert lines == [], "give each a test with @pytest.mark.zuul(NUMBER)"


def test_the_page_is_current() -> None:
    current = compatibility.PAGE.read_text() == compatibility.made()
    assert current, "docs/zuul-compatibility.md is not what the tests say: run python tools/compatibility.py"
