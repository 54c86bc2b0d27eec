# SPDX-License-Identifier: Apache-2.0
"""What podman cannot do is not tried without end, and said with the commands that help."""

from __future__ import annotations

from gatebot.executor.providers.container_ids import remedies
from gatebot.executor.providers.pausing import Pauses
from gatebot.executor.providers.subordinate import beyond
from gatebot.reasons import reason
from gatebot.words import say

FEW = "potentially insufficient UIDs or GIDs available in user namespace (requested 0:42 for /etc/shadow)"
SETTINGS = {"HOME": "/srv/gate bot", "CONTAINERS_CONF": "/srv/containers.conf"}
ANEW = (
    "podman keeps the ids that it found first. When there are enough, as root: runuser -u gatebot -- env -C / "
    "'HOME=/srv/gate bot' CONTAINERS_CONF=/srv/containers.conf podman system migrate"
)


def test_a_failure_is_tried_again_after_one_five_and_then_every_thirty_minutes() -> None:
    now = [1000.0]
    pauses = Pauses(lambda: now[0])
    why = reason("executor.container-failed", verb="pull", told="no")
    for minutes in (1, 5, 30, 30):
        told = pauses.failed(why, 0)
        assert say(told) == f"`podman pull` failed: no It is tried again after {minutes} min."
        now[0] += minutes * 60 - 1
        assert pauses.still(0) == told
        now[0] += 1
        assert pauses.still(0) is None
    pauses.over()
    assert say(pauses.failed(why, 0)).endswith("after 1 min.")


def test_what_failed_is_tried_at_once_when_there_are_other_ids() -> None:
    pauses = Pauses(lambda: 0.0)
    pauses.failed(reason("executor.container-failed", verb="pull", told="no"), 0)
    assert pauses.still(65_536) is None


def test_a_user_without_ids_is_told_the_commands_that_give_it_some() -> None:
    few, anew = remedies(FEW, "gatebot", 0, 165_536, SETTINGS)
    assert say(few).endswith("usermod --add-subuids 165536-231071 --add-subgids 165536-231071 gatebot")
    assert say(anew) == ANEW


def test_a_user_with_ids_that_podman_has_not_seen_is_told_how_it_looks_again() -> None:
    assert [say(one) for one in remedies(FEW, "gatebot", 65_536, 165_536, SETTINGS)] == [ANEW]
    assert remedies("connection refused", "gatebot", 0, 165_536, SETTINGS) == ()
    (missing,) = remedies('exec: "newuidmap": executable file not found in $PATH', "gatebot", 0, 165_536, SETTINGS)
    assert "apt-get install uidmap" in say(missing)


def test_ranges_of_ids_are_given_after_those_of_everybody() -> None:
    assert beyond("", "") == 100_000
    assert beyond("anna:100000:65536\nodd line\n", "ben:300000:65536") == 365_536
