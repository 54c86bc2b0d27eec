# SPDX-License-Identifier: Apache-2.0
"""Makes docs/zuul-compatibility.md: each scenario of Zuul's own tests, the tests here that show it, and what differs.

Reads tests/data/zuul-scenarios.md, and the markers `pytest.mark.zuul(LINE, ..., differs="why")` of the tests as source:
nothing is imported. `python tools/compatibility.py` writes the page; tests/core/test_compatibility.py says when to.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
SCENARIOS = ROOT / "tests" / "data" / "zuul-scenarios.md"
DIFFERENCES = ROOT / "docs" / "zuul-differences.md"
PAGE = ROOT / "docs" / "zuul-compatibility.md"

_LINE = re.compile(r"(\d+)\. (.*)")
_HEADING = re.compile(r"\*\*(.*)\*\*")
_OPENING = """# Compatibility with Zuul

Zuul 14.3's own unit tests say how a gate behaves. Each of the scenarios that they tell has a line here, with the tests
that show it on gatebot, and whether gatebot does the same or differs on purpose. This page is made from the tests, by
`python tools/compatibility.py`: a line without a test, and a page that is not current, fail the tests.

In the scenarios the queue is a dependent pipeline `gate` unless said otherwise, its jobs are merge -> {test1, test2},
and A, B, C are changes approved in that order. The letters name Zuul's files: S test_scheduler, V test_v3,
C test_circular_dependencies, D test_gerrit_crd, R test_requirements, M test_merger_repo, X others.
"""


@dataclass(frozen=True)
class Scenario:
    """One line of Zuul's tests, under its heading."""

    number: int
    text: str
    heading: str


@dataclass(frozen=True)
class Shown:
    """A test that shows scenarios; `differs` says why gatebot does otherwise."""

    lines: tuple[int, ...]
    path: str
    name: str
    differs: str


def scenarios(text: str) -> list[Scenario]:
    """The lines of the list."""
    heading, found = "", list[Scenario]()
    for line in text.splitlines():
        if titled := _HEADING.fullmatch(line.strip()):
            heading = titled[1]
        elif told := _LINE.fullmatch(line.strip()):
            found.append(Scenario(int(told[1]), told[2], heading))
    return found


def shown(paths: Iterable[Path]) -> list[Shown]:
    """What the tests in these files show, in the order of the files."""
    return [one for path in paths for one in _of_module(path)]


def _of_module(path: Path) -> Iterator[Shown]:
    source = path.read_text()
    if "mark.zuul" not in source:
        return
    where = path.relative_to(ROOT).as_posix()
    module = ast.parse(source)
    for node in module.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "pytestmark" for t in node.targets):
            yield from (Shown(lines, where, "", differs) for lines, differs in _marks([node.value]))
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from (Shown(lines, where, node.name, differs) for lines, differs in _marks(node.decorator_list))


def _marks(nodes: Iterable[ast.AST]) -> Iterator[tuple[tuple[int, ...], str]]:
    """The markers in some expressions, those of single parameters included."""
    for node in (inner for outer in nodes for inner in ast.walk(outer)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "zuul":
            lines = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, int)]
            told = next((word.value for word in node.keywords if word.arg == "differs"), None)
            yield tuple(lines), str(ast.literal_eval(told)) if told is not None else ""


def tests() -> list[Path]:
    """Every file of tests."""
    return sorted((ROOT / "tests").rglob("*.py"))


def page(listed: Iterable[Scenario], found: Iterable[Shown], differences: str) -> str:
    """The text of the page."""
    parts, heading = [_OPENING], ""
    by_line: dict[int, list[Shown]] = {}
    for one in found:
        for line in one.lines:
            by_line.setdefault(line, []).append(one)
    for scenario in listed:
        if scenario.heading != heading:
            heading = scenario.heading
            parts.append(f"\n## {heading}\n\n| | Scenario | Tests | Verdict |\n| --- | --- | --- | --- |")
        shows = by_line.get(scenario.number, [])
        parts.append(_row(scenario, shows))
    if differences:
        parts.append("\n" + re.sub(r"^#", "##", differences.strip(), flags=re.MULTILINE))
    return "\n".join(parts) + "\n"


def _row(scenario: Scenario, shows: list[Shown]) -> str:
    names = "<br>".join(dict.fromkeys(_named(one) for one in shows)) or "none"
    why = "; ".join(dict.fromkeys(one.differs for one in shows if one.differs))
    verdict = (f"differs on purpose: {why}" if why else "same") if shows else "not shown"
    return "| " + " | ".join((str(scenario.number), _cell(scenario.text), names, _cell(verdict))) + " |"


def _named(one: Shown) -> str:
    label = one.name.removeprefix("test_").replace("_", " ") or "all tests of " + Path(one.path).stem
    return f"[{label}](../{one.path})"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def made() -> str:
    """The page as it should be."""
    differences = DIFFERENCES.read_text() if DIFFERENCES.exists() else ""
    return page(scenarios(SCENARIOS.read_text()), shown(tests()), differences)


def missing() -> list[Scenario]:
    """The scenarios that no test shows."""
    known = {line for one in shown(tests()) for line in one.lines}
    return [scenario for scenario in scenarios(SCENARIOS.read_text()) if scenario.number not in known]


if __name__ == "__main__":
    PAGE.write_text(made())
    for scenario in missing():
        print(f"no test shows {scenario.number}: {scenario.text}", file=sys.stderr)
