# SPDX-License-Identifier: Apache-2.0
"""The labels that jobs may ask for: those of the settings, and those that configuration defines."""

from __future__ import annotations

import pytest

from gatebot.app.node_labels import NodeLabels
from gatebot.executor.model import Label
from tests.fakes.configuration import tenant_layout

TEXT = """
- image: {name: debian, type: cloud}
- flavor: {name: f}
- label: {name: small, image: debian, flavor: f}
- label: {name: big, image: debian, flavor: f}
- section: {name: s, connection: c, flavors: [{name: f, memory: 512, cpus: 3}]}
- provider: {name: p, section: s, labels: [small, big]}
"""


def test_a_label_of_the_settings_wins_over_one_of_the_configuration() -> None:
    labels = NodeLabels({"small": Label("small")}, lambda: [tenant_layout({"config": TEXT})])
    assert labels["small"] == Label("small")
    assert labels["big"] == Label("big", image="debian", memory=512 * 1024 * 1024, cpus=3.0)
    assert (sorted(labels), len(labels), labels.get("huge")) == (["big", "small"], 2, None)


@pytest.mark.parametrize(
    ("label", "plain"),
    [
        (Label("small"), True),
        (Label("cloud", packages=("mariadb-server",)), False),
        (Label("cloud", script="make"), False),
        (Label("other", image="bookworm"), False),
        (Label("vm", provider="qemu"), False),
    ],
)
def test_only_labels_of_the_default_image_have_this_machines_programs_where_that_is_not_built(
    label: Label, plain: bool
) -> None:
    assert label.plain is plain
