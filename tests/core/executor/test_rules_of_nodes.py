# SPDX-License-Identifier: Apache-2.0
"""Labels, hosts that jobs may reach, what the privileged process believes, and the sandbox's options."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from gatebot.errors import SettingsError
from gatebot.executor.labels import label_from
from gatebot.executor.mirrors import Mirrors
from gatebot.executor.model import DEFAULT_LABELS, MIB, Label, Network
from gatebot.executor.providers.bubblewrap import Bind, Box, options
from gatebot.executor.providers.checks import Config, Refusal, checked_create, checked_run, neighbours_of
from gatebot.words import catalogue, say

NODE = "0" * 32
CONFIG = Config("i", "/l", "/i", (("/a", "/b"),), 1000, 2000, 10, 70_000, 3, True, True, False)
CREATE = {
    "node": NODE,
    "image": "host",
    "memory": 64 * MIB,
    "disk": 64 * MIB,
    "processes": 64,
    "cpus": 1.0,
    "network": "none",
}
RUN = {"node": NODE, "run": "1" * 32, "argv": ["true"], "env": {"A": "b"}, "cwd": "/"}


def test_a_label_is_read_from_its_settings() -> None:
    found = label_from("big", {"memory": "8G", "disk": 1048576, "cpus": 4, "network": "none", "image": "host"})
    assert found == Label("big", image="host", network=Network.NONE, memory=8192 * MIB, disk=MIB, cpus=4.0)


@pytest.mark.parametrize(
    "settings, told",
    [
        ({"memory": "much"}, 'labels.big.memory: "much" cannot be used. Write a number of bytes'),
        ({"network": "all"}, "labels.big.network: \"all\" cannot be used. Write 'none', 'mirrors' or 'full'."),
        ({"colour": "red"}, "labels.big.colour: there is no such key. Known are: arch, cpus"),
        ({"cpus": 0}, "labels.big.cpus: 0 cannot be used. Write a number above 0."),
    ],
)
def test_an_unusable_label_names_the_key(settings: dict[str, object], told: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(told)):
        label_from("big", settings)


def test_unit_tests_reach_package_indexes_by_default() -> None:
    assert DEFAULT_LABELS["small"].network is Network.MIRRORS


MIRRORS = Mirrors.of(["index.example.org", "*.files.example.org", "git.example.org:8080", "10.1.0.0/16", "::1"])


@pytest.mark.parametrize(
    "host, port, allowed",
    [
        ("index.example.org", 443, True),
        ("Index.Example.org.", 443, True),
        ("a.files.example.org", 443, True),
        ("files.example.org", 443, False),
        ("evilindex.example.org", 443, False),
        ("index.example.org.evil.example", 443, False),
        ("git.example.org", 8080, True),
        ("git.example.org", 22, False),
        ("10.1.2.3", 80, True),
        ("10.2.2.3", 80, False),
        ("[::1]", 80, True),
        ("169.254.169.254", 80, False),
    ],
)
def test_only_listed_hosts_are_let_through(host: str, port: int, allowed: bool) -> None:
    assert (MIRRORS.refuse_host(host, port) is None) is allowed


@pytest.mark.parametrize(
    "address, allowed",
    [
        ("151.101.0.223", True),
        ("2a04:4e42::223", True),
        ("10.1.9.9", True),
        ("10.9.9.9", False),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("192.168.1.1", False),
        ("::ffff:127.0.0.1", False),
        ("fd00::1", False),
        ("fe80::1%eth0", False),
        ("64:ff9b::7f00:1", False),
        ("nonsense", False),
    ],
)
def test_a_listed_name_may_not_lead_inside(address: str, allowed: bool) -> None:
    assert (MIRRORS.refuse_address("index.example.org", 443, address) is None) is allowed


def test_an_address_that_is_listed_with_its_port_is_reached_at_that_port_only() -> None:
    mirrors = Mirrors.of(["10.0.0.5:8080"])
    assert mirrors.refuse_address("10.0.0.5", 8080, "10.0.0.5") is None
    assert mirrors.refuse_address("10.0.0.5", 22, "10.0.0.5") is not None


def test_a_refusal_names_the_host_and_the_setting_that_would_allow_it() -> None:
    refusal = MIRRORS.refuse_host("example.com", 443)
    assert refusal is not None
    assert say(refusal) == (
        "The connection to example.com, port 443, is refused: the host is not listed. "
        'To allow it, an administrator adds "example.com" to mirrors under [network] in gatebot.toml.'
    )


def test_the_privileged_process_accepts_what_the_server_sends() -> None:
    assert checked_create(CREATE, CONFIG).image == "host"
    assert checked_run(RUN).argv == ("true",)


@pytest.mark.parametrize(
    "wrong",
    [
        {"node": "../../etc"},
        {"node": NODE + "\n"},
        {"image": "../etc"},
        {"image": "/"},
        {"image": ".."},
        {"memory": True},
        {"memory": -1},
        {"disk": 10**20},
        {"processes": "64"},
        {"cpus": float("nan")},
        {"network": "full"},
        {"network": "bridge"},
    ],
)
def test_the_privileged_process_makes_no_other_node(wrong: dict[str, object]) -> None:
    with pytest.raises(Refusal):
        checked_create(CREATE | wrong, CONFIG)


@pytest.mark.parametrize(
    "wrong",
    [
        {"run": "x"},
        {"argv": []},
        {"argv": "true"},
        {"argv": ["a\0b"]},
        {"env": {"A=B": "c"}},
        {"env": {"A": 1}},
        {"cwd": "relative"},
        {"cwd": None},
    ],
)
def test_the_privileged_process_runs_nothing_malformed(wrong: dict[str, object]) -> None:
    with pytest.raises(Refusal):
        checked_run(RUN | wrong)


def test_the_hosts_network_is_given_only_where_a_label_of_the_site_has_it() -> None:
    allowing = dataclasses.replace(CONFIG, full=True)
    assert checked_create(CREATE | {"network": "full"}, allowing).network == "full"


def test_the_configuration_survives_its_way_over_the_command_line() -> None:
    assert Config.from_json({**CONFIG.to_json(), "shown": [["/a", "/b"]]}) == CONFIG


def test_the_sandbox_names_everything_the_job_sees_and_keeps_playbooks_unwritable() -> None:
    told = options(Box("/merged", 1 << 20, (Bind("/host/wheels", "/wheels"),)), {"A": "b c"}, "/home/job", 3)
    text = " ".join(told)
    assert "--bind /merged / --ro-bind /host/wheels /wheels --ro-bind /merged/opt/gatebot /opt/gatebot" in text
    assert text.count("--bind ") == 1
    for needed in ("--unshare-pid", "--disable-userns", "--cap-drop ALL", "--clearenv", "--die-with-parent"):
        assert needed in text
    assert "--share-net" not in text


def test_a_nested_node_has_its_devices_and_may_make_users_of_its_own() -> None:
    nested = Box("/merged", 64, (Bind("/n/sys", "/sys"),), devices=(Bind("/d/tun", "/dev/net/tun"),), nested=True)
    text = " ".join(options(nested, {}, "/", 3))
    assert "--ro-bind /n/sys /sys" in text
    assert "--dev /dev" in text.partition("--dev-bind /d/tun /dev/net/tun")[0]
    assert "--disable-userns" not in text
    assert "--cap-drop ALL" in text


@pytest.mark.parametrize(("given", "nested"), [({}, False), ({"nested": True}, True), ({"nested": 1}, False)])
def test_a_node_is_nested_only_where_that_is_said(given: dict[str, object], nested: bool) -> None:
    assert checked_create(CREATE | given, CONFIG).nested is nested


def test_every_reason_of_this_room_has_its_sentence_in_both_languages() -> None:
    room = Path(__file__).resolve().parents[3] / "gatebot" / "executor"
    kinds = {kind for path in room.rglob("*.py") for kind in re.findall(r'"(executor\.[a-z-]+)"', path.read_text())}
    assert len(kinds) > 20
    for language in ("en", "ko"):
        assert sorted(kind for kind in kinds if kind not in catalogue(language)) == []


def test_the_privileged_process_connects_nodes_of_one_build() -> None:
    assert neighbours_of({"nodes": [NODE, f"{NODE}-1"]}) == (NODE, f"{NODE}-1")


@pytest.mark.parametrize("nodes", [None, [], [NODE], [NODE, NODE], [NODE, "b" * 32], [NODE, f"{NODE}-1;id"], [NODE, 1]])
def test_the_privileged_process_connects_no_others(nodes: object) -> None:
    with pytest.raises(Refusal):
        neighbours_of({"nodes": nodes})
