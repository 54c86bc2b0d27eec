# SPDX-License-Identifier: Apache-2.0
"""What a cloud does otherwise on one node than on another: its users, and what it is found by when the node goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

Module = Callable[[str], ModuleType]
ONE, WHOLE_MACHINE = "         0       1000          1\n", "         0          0 4294967295\n"


def test_only_where_one_user_is_mapped_programs_do_as_if_they_changed_their_groups(
    module: Module, tmp_path: Path
) -> None:
    users = tmp_path / "uid_map"
    users.write_text(ONE)
    assert module("shims").for_groups(users) == {"LD_PRELOAD": "/srv/shims/setgroups.so"}
    users.write_text(WHOLE_MACHINE)
    assert module("shims").for_groups(users) == {}


def test_all_of_a_cloud_has_the_mark_that_it_is_found_by_on_a_host_that_stays(
    module: Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = module("options").Options()
    monkeypatch.delenv("GATEBOT_NODE", raising=False)
    assert "GATEBOT_NODE" not in module("up").environment(options)
    monkeypatch.setenv("GATEBOT_NODE", "4711-0.")
    assert module("up").environment(options)["GATEBOT_NODE"] == "4711-0."
