# SPDX-License-Identifier: Apache-2.0
"""What a cloud's answers mean, whatever they are: names, states, quota, troubles, host keys."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatebot.errors import SettingsError
from gatebot.executor.clouds.choosing import Need, architecture_of, flavor_for, named, slots
from gatebot.executor.clouds.model import Server, server_from
from gatebot.executor.clouds.parts import (
    FLOATING,
    KEYPAIR,
    KINDS,
    PORT,
    SERVER,
    everything,
    listed,
    name_of,
    node_of,
    owned,
    question,
)
from gatebot.executor.clouds.parts import named as parts_named
from gatebot.executor.clouds.servers import State, address, server_state, volume_state
from gatebot.executor.clouds.troubles import AWAY, FULL, QUOTA, REFUSED, passing, pauses, trouble
from gatebot.executor.clouds.trust import Keys, on_console, on_offer, user_data
from gatebot.executor.labels import label_from
from gatebot.executor.model import Label
from gatebot.reasons import Reason, reason

MIB = 1024 * 1024
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["status", "fault", "message", "servers", "keypairs", "keypair", "name", "id", "limits", "absolute",
                 "maxTotalCores", "fixed_ips", "ip_address", "ports", "description", "type"]
            ),
            inner, max_size=4,
        )
    ),
    max_leaves=6,
)  # fmt: skip
ANSWER = st.dictionaries(
    st.sampled_from(["status", "fault", "servers", "ports", "keypairs", "limits", "fixed_ips"]), ANYTHING, max_size=4
)
INSTANCE = st.text("abcdef0123456789", min_size=12, max_size=12)
NODE = st.from_regex(r"[0-9a-f]{32}(-[0-9]{1,3})?", fullmatch=True)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(ANSWER, st.text(max_size=20))
def test_no_answer_does_more_than_say_nothing(answer: dict[str, Any], text: str) -> None:
    assert isinstance(server_state(answer), State)
    assert isinstance(volume_state(answer), State)
    assert isinstance(address(answer), str)
    assert isinstance(architecture_of(answer), str)
    assert slots(answer, 0, 3, Need()) >= 1
    for kind in KINDS:
        assert isinstance(owned(kind, answer, "0" * 12), frozenset)
    for told in (text, json.dumps(answer), json.dumps(text)):
        assert isinstance(trouble("compute", 500, told), Reason)
        assert isinstance(on_console(told), tuple)


@settings(deadline=None)
@given(INSTANCE, NODE, INSTANCE)
def test_a_part_is_known_by_its_name_as_one_executors_and_nobody_elses(instance: str, node: str, other: str) -> None:
    name = name_of(instance, node)
    assert len(name) <= 63  # a host name too
    assert node_of(instance, name) == node
    assert instance == other or node_of(other, name) is None
    assert node_of(instance, f"{name}-copy") is None


@settings(deadline=None)
@given(INSTANCE, NODE, NODE)
def test_of_what_a_cloud_lists_only_the_very_name_is_taken(instance: str, node: str, other: str) -> None:
    names = {name_of(instance, node), name_of(instance, other), "db-server"}
    for kind in KINDS:
        parts: list[dict[str, Any]] = [{"id": one, kind.field: one} for one in sorted(names)]
        answer = {kind.listing: [{kind.one: one} for one in parts] if kind is KEYPAIR else parts}
        assert len(listed(kind, answer)) == len(names)
        assert [one["id"] for one in parts_named(kind, answer, name_of(instance, node))] == [name_of(instance, node)]
        assert owned(kind, answer, instance) == {node, other}


def test_services_are_asked_for_names_in_the_ways_that_they_have() -> None:
    assert question(SERVER, "gatebot-a-b") == ("/servers/detail", {"name": "^gatebot-a-b$"})
    assert question(PORT, "n") == ("/ports", {"name": "n"})
    assert question(FLOATING, "n") == ("/floatingips", {"description": "n"})
    assert question(KEYPAIR, "n") == ("/os-keypairs", {})
    assert everything(SERVER, "a") == ("/servers/detail", {"name": "^gatebot-a-"})
    assert everything(PORT, "a") == ("/ports", {})


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        ({"status": "ACTIVE"}, State(ready=True)),
        ({"status": "BUILD", "OS-EXT-STS:task_state": "spawning"}, State(why="BUILD spawning")),
        ({"status": "UNKNOWN"}, State(why="UNKNOWN")),
        ({"status": "SHUTOFF"}, State(hopeless=True, why="SHUTOFF")),
        ({}, State(hopeless=True, why="it is gone")),
        (
            {"status": "ERROR", "fault": {"message": "No valid host was found. "}},
            State(hopeless=True, full=True, why="ERROR: No valid host was found."),
        ),
        ({"status": "ERROR", "fault": {"message": "Boom"}}, State(hopeless=True, why="ERROR: Boom")),
    ],
)
def test_what_a_servers_status_means(found: dict[str, Any], wanted: State) -> None:
    assert server_state(found) == wanted


@pytest.mark.parametrize(
    ("service", "status", "body", "kind"),
    [
        ("compute", 403, {"forbidden": {"code": 403, "message": "Quota exceeded for cores: Requested 2"}}, QUOTA),
        ("compute", 403, {"forbidden": {"code": 403, "message": "Quota exceeded, too many key pairs."}}, QUOTA),
        ("compute", 403, {"forbidden": {"code": 403, "message": "Policy doesn't allow it to be performed."}}, REFUSED),
        ("compute", 400, {"badRequest": {"code": 400, "message": "Invalid key_name provided."}}, REFUSED),
        ("compute", 429, {"overLimit": {"code": 429, "message": "This request was rate-limited."}}, AWAY),
        ("compute", 500, {"computeFault": {"code": 500, "message": "Unexpected API Error."}}, AWAY),
        ("network", 409, {"NeutronError": {"type": "OverQuota", "message": "Quota exceeded for resources: x"}}, QUOTA),
        ("network", 409, {"NeutronError": {"type": "IpAddressGenerationFailure",
                                           "message": "No more IP addresses available on network n."}}, QUOTA),
        ("network", 400, {"NeutronError": {"type": "ExternalIpAddressExhausted",
                                           "message": "Unable to find any IP address on external network n."}}, QUOTA),
        ("block_storage", 413, {"overLimit": {"code": 413, "message": "VolumeLimitExceeded: Maximum number of volumes "
                                              "allowed (10) exceeded for quota 'volumes'."}}, QUOTA),
        ("block_storage", 413, {"overLimit": {"code": 413, "message": "Requested volume or snapshot exceeds allowed "
                                              "gigabytes quota. Requested 8G."}}, QUOTA),
    ],
)  # fmt: skip
def test_what_is_used_up_is_told_from_what_is_away_and_what_is_refused(
    service: str, status: int, body: dict[str, Any], kind: str
) -> None:
    found = trouble(service, status, json.dumps(body))
    assert found.kind == kind
    assert str(found.get("told")).startswith(f"{service}: {status} ")
    assert passing(found) is (kind != REFUSED)


def test_a_page_instead_of_an_answer_is_told_without_its_tags() -> None:
    text = "<html>\n <head>\n  <title>404 Not Found</title>\n </head></html>"
    assert trouble("image", 404, text) == reason(REFUSED, told="image: 404 404 Not Found")
    assert passing(reason(FULL))


@settings(deadline=None)
@given(st.integers(-1, 50), st.integers(0, 50), st.integers(0, 20), st.integers(0, 30), st.integers(1, 8))
def test_never_more_servers_than_the_quota_has_and_never_none(
    most: int, used: int, own: int, wanted: int, cores: int
) -> None:
    own = min(own, used)
    absolute = {"maxTotalInstances": most, "totalInstancesUsed": used}
    absolute |= {"maxTotalCores": most * 4, "totalCoresUsed": used * cores}
    found = slots({"limits": {"absolute": absolute}}, own, wanted, Need(cores))
    if most < 0:
        assert found == wanted
    else:
        assert found >= 1
        assert found == 1 or found - own <= max(most - used, 0)
        assert found == 1 or (found - own) * cores <= max(most * 4 - used * cores, 0)
        assert wanted == 0 or found <= max(wanted, 1)


@settings(deadline=None)
@given(
    st.lists(st.fixed_dictionaries({"ram": st.integers(1, 9), "vcpus": st.integers(1, 9), "disk": st.integers(0, 9)})),
    st.integers(1, 9),
    st.integers(1, 9),
)
def test_the_smallest_flavor_that_has_what_the_label_says(flavors: list[Any], memory: int, cpus: int) -> None:
    label = Label("l", memory=memory * MIB, cpus=cpus, disk=1024 * MIB)
    found = flavor_for(flavors, label, "", disk=True)
    fitting = [one for one in flavors if one["ram"] >= memory and one["vcpus"] >= cpus and one["disk"] >= 1]
    if isinstance(found, Reason):
        assert fitting == []
    else:
        assert found in fitting
        assert found["ram"] == min(one["ram"] for one in fitting)


def test_a_name_means_the_newest_and_an_id_the_very_one() -> None:
    images: list[dict[str, Any]] = [
        {"id": "a", "name": "x", "created_at": "2026-02"}, {"id": "b", "name": "x", "created_at": "2026-01"},
        {"id": "x", "name": "y", "created_at": "2020"},
    ]  # fmt: skip
    assert named("image", images[:2], "x") == images[0]
    assert named("image", images, "x") == images[2]
    assert named("image", images, "z") == reason("executor.cloud-lacks", what="image", name="z", known="x, y")


def test_pauses_grow_up_to_the_longest() -> None:
    found = pauses(1, 2)
    assert [next(found) for _ in range(4)] == [1, 1.5, 2, 2]


KEY = "A" * 43


def test_keys_on_a_console_are_believed_where_cloud_init_says_that_they_are_the_hosts() -> None:
    block = (
        "ec2: -----BEGIN SSH HOST KEY KEYS-----\r\nssh-rsa {rsa} root@n\r\n"
        "[ 9.1] cloud-init[7]: ssh-ed25519 {key} root@n\r\n"
        "-----END SSH HOST KEY KEYS-----\r\n"
    )
    first, second = block.format(rsa="C" * 80, key="D" * 43), block.format(rsa="B" * 80, key=KEY)
    assert on_console(f"ssh-ed25519 {'E' * 43} x\n{first}login:\n{second}") == (
        f"ssh-ed25519 {KEY}",
        f"ssh-rsa {'B' * 80}",
    )
    assert on_console(f"ssh-ed25519 {KEY} root@n") == ()
    assert on_offer(f"# h:22 SSH-2.0\nh ssh-ed25519 {KEY}\n") == (f"ssh-ed25519 {KEY}",)


def test_what_cloud_init_is_told_is_its_configuration() -> None:
    told = user_data(Keys("private", "ssh-ed25519 A", "ssh-ed25519 B"), "root")
    first, _, rest = told.partition("\n")
    assert first == "#cloud-config"
    assert json.loads(rest) == {
        "ssh_deletekeys": True,
        "ssh_keys": {"ed25519_private": "private", "ed25519_public": "ssh-ed25519 A"},
        "ssh_authorized_keys": ["ssh-ed25519 B"],
        "disable_root": False,
    }
    assert "disable_root" not in user_data(Keys("", "", ""), "debian")


def test_a_label_has_a_server_of_its_own_above_the_providers() -> None:
    label = label_from("l", {"server": {"flavor": "large", "security_groups": ["a"], "volume": 0}})
    assert label.server == Server(flavor="large", security_groups=("a",), volume=0)
    assert label.server.over(Server(flavor="small", user="debian", volume=8)) == Server(
        flavor="large", security_groups=("a",), volume=0, user="debian"
    )


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"flavour": "x"}, "w.flavour: there is no such key. Did you mean flavor?"),
        ({"volume": "8G"}, 'w.volume: "8G" cannot be used. Write a size in GiB, or 0 for none.'),
        ({"security_groups": "ssh"}, 'w.security_groups: "ssh" cannot be used. Write a list of names.'),
    ],
)  # fmt: skip
def test_a_server_that_cannot_be_read_says_what_to_write(table: dict[str, object], told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        server_from(table, "w")
    assert str(refused.value) == told
