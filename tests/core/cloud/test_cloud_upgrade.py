# SPDX-License-Identifier: Apache-2.0
"""An upgrade of a cloud: which services it touches, in which order, from which checkouts, and what it costs whom."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

Module = Callable[[str], ModuleType]
WHOLE = ["keystone", "glance", "placement", "nova", "neutron", "cinder", "swift"]
LIGHT = {"cloud_services": ["keystone", "placement", "glance", "neutron"]}
#: As ping of iputils says it, with -D; the answers 3, 4 and 5 never came.
PINGS = """\
PING 172.24.4.42 (172.24.4.42) 56(84) bytes of data.
[1764371000.000000] 64 bytes from 172.24.4.42: icmp_seq=1 ttl=63 time=1.20 ms
[1764371000.200000] 64 bytes from 172.24.4.42: icmp_seq=2 ttl=63 time=0.90 ms
[1764371001.000000] 64 bytes from 172.24.4.42: icmp_seq=6 ttl=63 time=0.91 ms

--- 172.24.4.42 ping statistics ---
6 packets transmitted, 3 received, 50% packet loss, time 1001ms
rtt min/avg/max/mdev = 0.9/1.0/1.2/0.1 ms
"""


@pytest.mark.parametrize(
    ("packages", "services"),
    [
        (["nova"], ["nova"]),
        (["openstack-placement", "nova", "keystone"], ["keystone", "placement", "nova"]),
        (["nova", "oslo-messaging"], WHOLE),
        ([], []),
    ],
)
def test_a_service_upgrades_itself_and_a_library_all_in_the_documented_order(
    module: Module, packages: list[str], services: list[str]
) -> None:
    options = module("variables").options_of({})
    assert list(module("upgrade").touched(packages, options)) == services


def test_what_the_cloud_is_without_is_not_upgraded(module: Module) -> None:
    options = module("variables").options_of(LIGHT)
    assert module("upgrade").touched(["nova", "glance"], options) == ("glance",)


def names(module: Module, variables: dict[str, object], *services: str) -> list[str]:
    """The processes of a cloud, or of some of its services."""
    found = module("parts").parts(module("variables").options_of(variables), *services)
    return [part.name for part in found]


def test_the_conductor_begins_before_those_who_ask_it_and_compute_is_last(module: Module) -> None:
    nova = names(module, {}, "nova")
    assert nova == ["nova-conductor", "nova-scheduler", "nova", "metadata", "nova-compute"]


def test_a_cloud_without_a_broker_has_no_process_that_would_wait_for_messages(module: Module) -> None:
    assert names(module, LIGHT, "neutron") == ["neutron", "neutron-ovn-maintenance-worker"]
    assert len(names(module, {}, "neutron")) == 5


def test_every_api_of_the_catalogue_is_asked_where_it_answers(module: Module) -> None:
    configs, options = module("configs"), module("variables").options_of({})
    found = ((part.name, part.url(options)) for part in module("parts").parts(options))
    asked = {name: url for name, url in found if url}
    assert set(asked) == set(configs.PORTS)
    assert asked["swift"] == "http://127.0.0.1:8080/healthcheck"


def test_uploads_to_glance_go_by_the_port_that_passes_chunks_on(module: Module) -> None:
    options = module("variables").options_of({})
    lines = {part.name: part.line(options, 7) for part in module("parts").parts(options)}
    assert "--http-socket" not in lines["glance"]
    assert lines["glance"][:3] == ("uwsgi", "--http", "127.0.0.1:9292")
    assert lines["keystone"][:3] == ("uwsgi", "--http-socket", "127.0.0.1:5000")
    assert lines["swift"][0] == "swift-proxy-server"
    assert lines["nova-scheduler"] == ("nova-scheduler",)


def repository(place: Path) -> Path:
    """A checkout of a package whose file says what it is of, with a tag before that."""
    place.mkdir()
    for version in ("1.0", "2.0"):
        (place / "version").write_text(version)
        for line in (["init", "-q"], ["add", "."], ["commit", "-qm", version], ["tag", version]):
            told = ["git", "-C", str(place), "-c", "user.name=a", "-c", "user.email=a@b", *line]
            subprocess.run(told, check=True, capture_output=True)
    return place


def test_the_cloud_is_before_what_the_tags_say_and_the_image_has(module: Module, tmp_path: Path) -> None:
    speculative = module("speculative")
    ours = speculative.Project("oslo-greeting", repository(tmp_path / "greeting"))
    other = speculative.Project("shop", tmp_path / "shop")
    before = speculative.at([ours, other], {"oslo.greeting": "1.0"}, tmp_path / "before")
    assert [str(project) for project in before] == ["oslo-greeting 1.0"]
    assert (before[0].checkout / "version").read_text() == "1.0"
    assert speculative.at([ours, other], {}, tmp_path / "none") == []


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        ({"oslo.greeting": 9}, "oslo-greeting 9 cannot be checked out: "),
        ({"nova": "33.0.0"}, "nova has no checkout in this build, so it cannot be of 33.0.0."),
    ],
)
def test_a_tag_that_is_not_there_is_named(module: Module, tmp_path: Path, tags: dict[str, object], why: str) -> None:
    speculative = module("speculative")
    ours = speculative.Project("oslo-greeting", repository(tmp_path / "greeting"))
    with pytest.raises(speculative.NotInstalled) as refused:
        speculative.at([ours], tags, tmp_path / "before")
    assert str(refused.value).startswith(why)


def test_pings_tell_loss_and_the_longest_silence(module: Module) -> None:
    found = module("downtime").pings(PINGS)
    assert (found.sent, found.answered, round(found.silence, 1)) == (6, 3, 0.8)
    assert str(found) == "6 pings, 3 lost (50.0%), longest silence 0.8 s"
    assert module("downtime").pings("PING 172.24.4.42\n") is None


def test_an_api_is_down_from_the_question_that_failed_to_the_next_answer(module: Module) -> None:
    cost = module("downtime")
    told = [(0, 1, True), (2, 3, False), (4, 5, False), (6, 7, True), (8, 9, True), (10, 12, False)]
    found = cost.downtime([cost.Asked(*one) for one in told])
    assert (found.all, found.longest) == (7, 5)
    assert str(found) == "7.0 s down, at most 5.0 s at once"
    assert str(cost.downtime([cost.Asked(0, 9, True)])) == "always answered"


def test_downtime_is_never_longer_than_the_watch_nor_the_longest_than_all(module: Module) -> None:
    cost = module("downtime")

    @settings(deadline=None)
    @given(st.lists(st.tuples(st.integers(0, 50), st.booleans())))
    def holds(told: list[tuple[int, bool]]) -> None:
        ends = list(accumulate(length for length, _ in told))
        asked = [cost.Asked(end - length, end, good) for end, (length, good) in zip(ends, told, strict=True)]
        found = cost.downtime(asked)
        assert 0 <= found.longest <= found.all <= sum(length for length, _ in told)
        assert found.all == 0 or not all(good for _, good in told)

    holds()
