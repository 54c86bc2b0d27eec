# SPDX-License-Identifier: Apache-2.0
"""What a cloud does otherwise on one node than on another: its users, and what it is found by when the node goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from openstack.exceptions import HttpException
from requests import Response

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


def refusal(status: int) -> HttpException:
    """An answer of nova that is an error."""
    answer = Response()
    answer.status_code = status
    return HttpException(f"said {status}", response=answer)


class Compute:
    """Nova, which answers each question for its hosts in turn."""

    def __init__(self, *answers: Exception | list[str]) -> None:
        """These."""
        self.answers = list(answers)

    def hypervisors(self, *, details: bool) -> list[SimpleNamespace]:
        """As the client of OpenStack calls it."""
        assert details
        match self.answers.pop(0):
            case Exception() as problem:
                raise problem
            case hosts:
                return [SimpleNamespace(service_details={"host": host}) for host in hosts]


def test_a_compute_host_that_is_known_but_does_not_listen_yet_is_waited_for(module: Module) -> None:
    silent, wrong = refusal(500), refusal(403)
    cloud = SimpleNamespace(compute=Compute([], silent, ["compute1"], wrong))
    hosts = module("services").compute_hosts
    assert (hosts(cloud), hosts(cloud), hosts(cloud)) == (set(), set(), {"compute1"})
    with pytest.raises(HttpException, match="403"):
        hosts(cloud)
