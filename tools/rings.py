# SPDX-License-Identifier: Apache-2.0
"""Runs the checks and the rings of tests in order, and says how long each took: what `make test` does.

    python tools/rings.py [NAME ...]

Every step runs even if one before it failed; the exit code is 1 if any did. The last line is the sum of all
rings: `N passed, N failed`. Rings of real processes run a test or two that failed once more, alone: what passes then is
told as unsteady, with its first failure above, and is somebody's next work.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

# Where the virtual environment really is, is the code that it runs: see tools/setup.py.
ROOT = (Path(__file__).resolve().parent.parent / ".venv").resolve().parent
BIN = ROOT / ".venv" / "bin"
NOTHING_COLLECTED = 5
#: Rings whose tests wait for other programs, which a busy machine may keep from running at all.
OF_PROCESSES = frozenset({"shells", "stories", "chaos"})
#: More than these in one ring have one cause, and it is not the machine.
UNSTEADY_AT_MOST = 3
CHECKS: dict[str, Sequence[str]] = {
    "format": ["ruff", "format", "--check", "."],
    "lint": ["ruff", "check", "."],
    "types": ["pyright"],
}
# Workers where tests wait for programs or compute for long; the core is over before workers have started. A worker
# keeps the tests of a file together, which share what they start, and takes from another when it has none left.
RINGS: dict[str, Sequence[str]] = {
    "house": ["tests/test_house.py"],
    "core": ["tests/core"],
    "laws": ["tests/laws", "-n", "2"],
    "shells": ["tests/shells", "-n", "4", "--dist", "worksteal", "--durations=25"],
    "stories": ["tests/stories", "-n", "3", "--dist", "worksteal", "--durations=15"],
    "clients": ["tests/clients"],
    "chaos": ["tests/chaos", "-n", "3", "--dist", "loadfile", "--no-loadscope-reorder", "--durations=15"],
}


@dataclass(frozen=True)
class Outcome:
    """What one step gave."""

    name: str
    seconds: float
    good: bool
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    unsteady: int = 0

    def row(self) -> str:
        """One line of the closing table."""
        tests = self.passed + self.failed + self.skipped
        counts = f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped" if tests else ""
        counts += f", {self.unsteady} UNSTEADY: passed only when run again" if self.unsteady else ""
        return f"{self.name:<10}{self.seconds / 60:6.2f} min  {'ok' if self.good else 'FAILED':<8}{counts}".rstrip()


def main(names: Sequence[str]) -> int:
    """Run the named steps, or all."""
    unknown = sorted(set(names) - {*CHECKS, *RINGS})
    if unknown:
        print(f"No such step: {', '.join(unknown)}. There are: {', '.join([*CHECKS, *RINGS])}.", file=sys.stderr)
        return 2
    outcomes = [check(name) for name in CHECKS if not names or name in names]
    outcomes += [ring(name) for name in RINGS if (not names or name in names) and exists(name)]
    print("\n" + "\n".join(outcome.row() for outcome in outcomes))
    good = all(outcome.good for outcome in outcomes)
    passed, skipped = sum(o.passed for o in outcomes), sum(o.skipped for o in outcomes)
    # A check that failed, and a ring that broke before its first test, count as one failure each.
    failed = sum(max(o.failed, int(not o.good)) for o in outcomes)
    print(f"\n{passed} passed, {failed} failed, {skipped} skipped")
    return 0 if good else 1


def exists(name: str) -> bool:
    """Has this ring a test file yet?"""
    place = ROOT / RINGS[name][0]
    return place.is_file() or any(place.rglob("test_*.py"))


def check(name: str) -> Outcome:
    """Run a checker over the whole tree."""
    program, *arguments = CHECKS[name]
    code, seconds = run(name, [str(BIN / program), *arguments])
    return Outcome(name, seconds, code == 0)


def ring(name: str) -> Outcome:
    """Run one folder of tests; of a ring of processes, what failed once more."""
    place, *options = RINGS[name]
    first = tests(name, [place, *options])
    if first.good or name not in OF_PROCESSES or not 0 < first.failed <= UNSTEADY_AT_MOST:
        return first
    again = tests(name, [place, "--last-failed", "--last-failed-no-failures=none"])
    seconds = first.seconds + again.seconds
    if not again.good or again.passed != first.failed:
        return replace(first, seconds=seconds)
    return replace(
        first, seconds=seconds, good=True, passed=first.passed + again.passed, failed=0, unsteady=again.passed
    )


def tests(name: str, arguments: Sequence[str]) -> Outcome:
    """Run some tests and count their outcomes."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [str(BIN / "python"), "-m", "pytest", "-q", f"--junitxml={report}", *arguments]
        code, seconds = run(name, command)
        if not report.exists():
            return Outcome(name, seconds, good=False)
        suite = next(ElementTree.parse(report).iter("testsuite"))  # noqa: S314  (we wrote it)
    count = {key: int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")}
    failed = count["failures"] + count["errors"]
    passed = max(count["tests"] - failed - count["skipped"], 0)
    return Outcome(name, seconds, code in (0, NOTHING_COLLECTED), passed, failed, count["skipped"])


def run(name: str, command: Sequence[str]) -> tuple[int, float]:
    """Run one command in the tree, with its output as it comes; its exit code and how long it took."""
    print(
        f"\n--- {name}: {' '.join(Path(word).name if word.startswith('/') else word for word in command)}", flush=True
    )
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # compiled once, not by each of the many processes
    started = time.monotonic()
    code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    return code, time.monotonic() - started


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
