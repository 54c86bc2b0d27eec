# SPDX-License-Identifier: Apache-2.0
"""Every result that a build of Zuul's can have has an icon and a word on pages, and counts as what it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gatebot.pipeline.queue.model import Outcome
from tests.fakes.jobs import job, jobs_gate

MACROS = Path(__file__).parents[3] / "web" / "templates" / "macros.html"
FAILED = ("FAILURE", "POST_FAILURE", "TIMED_OUT", "NODE_FAILURE", "CONFIG_ERROR", "ERROR", "DISK_FULL", "LOST")
AGAIN = ("RETRY", "ABORTED", "MERGE_CONFLICT", "MERGE_FAILURE")
DERIVED = ("SUCCESS", "RETRY_LIMIT", "SKIPPED", "CANCELED")


@pytest.mark.parametrize("result", [*FAILED, *AGAIN, *DERIVED])
def test_a_result_has_a_word_of_its_own_on_pages(result: str) -> None:
    assert re.search(rf'"{result}": \("(good|bad|off)", _\("', MACROS.read_text())


@pytest.mark.parametrize("result", FAILED)
def test_a_build_that_ended_in_any_of_these_ways_fails_its_change(result: str) -> None:
    q = jobs_gate(job("unit"))
    q.ends("unit", result)
    assert q.departed == {1: Outcome.FAILED}


@pytest.mark.parametrize("result", AGAIN)
def test_a_build_that_ended_for_want_of_an_executor_is_tried_again(result: str) -> None:
    q = jobs_gate(job("unit"))
    q.ends("unit", result)
    assert q.builds() == ["unit"]
    q.ends("unit")
    assert q.merged == [1]
