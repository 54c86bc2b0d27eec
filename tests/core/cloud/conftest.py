# SPDX-License-Identifier: Apache-2.0
"""The package of the cloud jobs is data of the library: tests load it from where nodes have it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from types import ModuleType

import pytest

PLACE = Path(__file__).parents[3] / "jobs/cloud"


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Generator[Callable[[str], ModuleType]]:
    """A module of the package, by its name."""
    monkeypatch.syspath_prepend(PLACE)
    yield lambda name: importlib.import_module(f"cloud.{name}")
    for name in [name for name in sys.modules if name == "cloud" or name.startswith("cloud.")]:
        del sys.modules[name]
