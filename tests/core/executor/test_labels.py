# SPDX-License-Identifier: Apache-2.0
"""Labels of the settings: what they may say, and that they promise only what their provider keeps."""

from __future__ import annotations

import pytest

from gatebot.errors import SettingsError
from gatebot.executor.labels import site_labels
from gatebot.executor.model import DEFAULT_LABELS, Label, Network

KINDS = {"boards": "static"}


def test_labels_of_a_site_stand_above_those_that_every_site_has() -> None:
    found = site_labels({"small": {"memory": "1G"}, "arm": {"arch": "aarch64", "execution": "any"}}, {})
    assert found == {
        **DEFAULT_LABELS,
        "small": Label("small", memory=1 << 30),
        "arm": Label("arm", arch="arm64", execution="any"),
    }


def test_the_network_that_is_not_said_is_the_one_that_the_provider_has() -> None:
    assert site_labels({"board": {"provider": "boards"}}, KINDS)["board"].network is Network.FULL
    assert site_labels({"here": {}}, KINDS)["here"].network is Network.MIRRORS


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (
            {"provider": "boards", "network": "none"},
            "labels.l.network: a node of the provider boards (static) cannot be shut off like this; it has full. "
            "Write that, or another provider.",
        ),
        (
            {"provider": "boards", "nested": True},
            "labels.l.nested: nodes of the provider boards (static) are as that host lets them be. "
            "Leave it out, or give the label to a provider of the kind local or openstack or qemu.",
        ),
        (
            {"packages": ["git", "rm -rf"]},
            'labels.l.packages: ["git", "rm -rf"] cannot be used. Write a list of names of Debian packages.',
        ),
        ({"packages": []}, "labels.l.packages: [] cannot be used. Write a list of names of Debian packages."),
        ({"script": " "}, 'labels.l.script: " " cannot be used. Write the text of a shell script.'),
        (
            {"script": "true", "image": "mine"},
            "labels.l.image: `packages` and `script` say what is in the default image besides. "
            "Take them away, or the image.",
        ),
        (
            {"packages": ["git"], "provider": "boards"},
            "labels.l: `packages` and `script` are for images that are built here, of the kinds local and qemu; "
            "boards is static. Leave them out.",
        ),
        ({"nested": "yes"}, 'labels.l.nested: "yes" cannot be used. Write true or false.'),
        ({"provider": "moon"}, "labels.l.provider: there is no [providers.moon]; this site has boards, local."),
        (
            {"execution": "fast"},
            'labels.l.execution: "fast" cannot be used. Write one of native, kvm, emulated-user, emulated-system, any.',
        ),
    ],
)
def test_a_label_that_cannot_be_kept_says_what_to_write(keys: dict[str, object], told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        site_labels({"l": keys}, KINDS)
    assert str(refused.value) == told


def test_all_that_is_wrong_with_all_labels_is_told_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        site_labels({"a": {"memory": "much", "cpus": 0}, "b": {"arch": "sparc", "privileged": 1}}, {})
    assert str(refused.value).splitlines() == [
        "labels.a.memory: \"much\" cannot be used. Write a number of bytes, or for example '512M' or '2G'.",
        "labels.a.cpus: 0 cannot be used. Write a number above 0.",
        "labels.b.privileged: 1 cannot be used. Write true or false.",
        'labels.b.arch: "sparc" cannot be used. Write one of x86_64, arm64, ppc64le, s390x, riscv64.',
    ]
