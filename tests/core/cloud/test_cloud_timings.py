# SPDX-License-Identifier: Apache-2.0
"""The table of how long the steps of a cloud took: what it says of CPU."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

Module = Callable[[str], ModuleType]


def test_cpu_is_that_of_all_processes_and_of_those_that_they_saw_end(module: Module, tmp_path: Path) -> None:
    ticks = os.sysconf("SC_CLK_TCK")
    for number, name, used in ((1, "sh", (1, 2, 3, 4)), (77, "a) R (b", (5, 0, 0, 0))):
        place = tmp_path / str(number)
        place.mkdir()
        rest = " ".join(str(one * ticks) for one in used)
        (place / "stat").write_text(f"{number} ({name}) S 0 1 1 0 -1 0 0 0 0 0 {rest} 20 0 1 0\n")
    (tmp_path / "sys").mkdir()
    assert module("timings").spent(tmp_path) == 15


def test_a_step_is_a_row_with_begin_length_and_cpu(module: Module, tmp_path: Path) -> None:
    table = tmp_path / "timings.tsv"
    with module("timings").Timings(table).step("tables"):
        pass
    first, second = (line.split("\t") for line in table.read_text().splitlines())
    assert (first[0], len(first), second[0], len(second)) == ("begin", 4, "tables", 4)
    assert all(float(one) >= 0 for one in second[1:3])
