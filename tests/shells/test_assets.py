# SPDX-License-Identifier: Apache-2.0
"""Shipped data is found in the checkout, and a missing file says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatebot import assets
from gatebot.app import warming

ROOT = Path(__file__).resolve().parent.parent.parent


def test_data_of_a_checkout_is_found_from_its_root() -> None:
    assert assets.checkout() == ROOT
    assert assets.path("web", "templates") == ROOT / "web" / "templates"


@pytest.mark.parametrize("page", warming.PAGES)
def test_the_pages_that_are_made_ready_at_the_start_are_there(page: str) -> None:
    assert assets.path("web", "templates", *page.split("/")).is_file()


def test_a_missing_file_says_what_to_do() -> None:
    with pytest.raises(FileNotFoundError) as refusal:
        assets.path("web", "nowhere")
    assert str(refusal.value) == (
        f"web/nowhere is missing from this installation ({ROOT / 'web' / 'nowhere'}); "
        "install gatebot again, or restore the file"
    )
