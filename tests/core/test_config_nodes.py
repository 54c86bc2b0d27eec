# SPDX-License-Identifier: Apache-2.0
"""Images, flavors, labels, sections and providers: read, checked against each other, and mapped to node labels."""

from __future__ import annotations

from textwrap import dedent

import pytest

from gatebot.pipeline.config.freeze import freeze
from gatebot.pipeline.config.layout import Layout
from gatebot.pipeline.config.nodes import flattened, site_labels
from gatebot.pipeline.config.objects_nodes import Image, Label
from gatebot.words import say
from tests.fakes.configuration import tenant_layout

NODES = """
- image: {name: debian, type: zuul, retain-count: 3, max-retain-count: 4, description: text}
- image: {name: ubuntu, type: cloud}
- flavor: {name: small, description: text}
- flavor: {name: large}
- label: {name: debian-small, image: debian, flavor: small, min-ready: 1, max-nodes: 9, aliases: debian-large}
- label: {name: debian-large, image: debian, flavor: large, max-age: 60}
- section:
    name: cloud
    abstract: true
    connection: openstack
    boot-timeout: 120
    quota: {instances: 5, cores: 10}
    flavor-defaults: {public-ipv4: true, memory: 1024}
    image-defaults: {username: zuul, architecture: x86_64}
    images: [{name: debian, architecture: aarch64}, ubuntu]
- section:
    name: region
    parent: cloud
    flavors: [{name: small, flavor-name: m1.small, cpus: 2}, {name: large, memory: 8192, storage: 40}]
- provider:
    name: here
    section: region
    quota: {cores: 20}
    label-defaults: {key-name: key}
    labels: [debian-small, {name: debian-large, cpu: 4}]
"""


def layout(text: str = NODES) -> Layout:
    return tenant_layout({"config": dedent(text)})


def test_every_object_is_kept_with_all_that_it_says() -> None:
    made = layout()
    assert made.errors == ()
    image, label = made.images["debian"], made.labels["debian-small"]
    assert image == Image("debian", image.at, "zuul", "text", 3, 4)
    assert label == Label("debian-small", label.at, "debian", "small", "", ("debian-large",), 1, max_nodes=9)
    assert made.images["ubuntu"].retain == 2
    assert (made.sections["cloud"].abstract, made.sections["cloud"].config["boot-timeout"]) == (True, 120)


def test_a_provider_begins_with_its_sections_outermost_first() -> None:
    made = layout()
    flat = flattened(made, made.providers["here"])
    assert flat.connection == "openstack"
    assert flat.images["debian"] == {"username": "zuul", "architecture": "aarch64"}
    assert flat.flavors["small"] == {"public-ipv4": True, "memory": 1024, "flavor-name": "m1.small", "cpus": 2}
    assert flat.labels == {"debian-small": {"key-name": "key"}, "debian-large": {"key-name": "key", "cpu": 4}}


def test_labels_are_mapped_to_what_the_site_calls_a_label() -> None:
    assert site_labels(layout()) == {
        "debian-small": {"image": "debian", "arch": "aarch64", "memory": "1024M", "cpus": 2},
        "debian-large": {"image": "debian", "arch": "aarch64", "memory": "8192M", "disk": "40G", "cpus": 4},
    }


def test_a_label_serves_for_its_aliases_where_no_provider_has_them() -> None:
    made = layout(NODES.replace("labels: [debian-small, {name: debian-large, cpu: 4}]", "labels: [debian-small]"))
    assert site_labels(made)["debian-large"] == site_labels(made)["debian-small"]


def test_a_label_that_no_provider_has_is_nothing_to_serve() -> None:
    text = "- image: {name: i, type: cloud}\n- flavor: {name: f}\n- label: {name: l, image: i, flavor: f}\n"
    assert site_labels(layout(text)) == {}


@pytest.mark.parametrize(
    "text, sentences",
    [
        ("- label: {name: l, image: i, flavor: f, aliases: [a]}",
         ["There is no image i. Define it, or correct the name.",
          "There is no flavor f. Define it, or correct the name.",
          "There is no node label a. Define it as a `label`, or in the settings, or correct the name."]),
        ("- image: {name: i, type: cloud, retain-count: 3, max-retain-count: 2}",
         ["`retain-count` 3 is more than `max-retain-count` 2. Lower it."]),
        ("- image: {name: i}", ["`image` needs `type`. Add it."]),
        ("- section: {name: s, parent: gone}", ["There is no section gone. Define it, or correct the name."]),
        ("- provider: {name: p, section: gone, images: [i]}",
         ["There is no section gone. Define it, or correct the name.",
          "There is no image i. Define it, or correct the name."]),
        ("- provider: {name: p, section: s, flavors: []}",
         ["A provider has no `flavors`: they stand in its section. Move them there."]),
        ("- section: {name: s, connection: a, parent: t}\n- section: {name: t, connection: b}\n"
         "- provider: {name: p, section: s}",
         ["Provider p has more than one connection by its sections: a, b. Keep one."]),
        ("- section: {name: s, parent: t}\n- section: {name: t, parent: s}\n- provider: {name: p, section: s}",
         ["Section t inherits from itself through its parents. Choose another parent."]),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_told(text: str, sentences: list[str]) -> None:
    assert [say(error.reason) for error in layout(text).errors] == sentences


def test_nodes_of_an_untrusted_project_count_where_the_tenant_takes_them() -> None:
    text = "- image: {name: i, type: cloud}\n"
    assert tenant_layout({"a": text}).images == {}
    assert set(tenant_layout({"config": text}).images) == {"i"}


def test_a_job_builds_only_images_of_the_project_that_lists_it() -> None:
    job = "- job: {name: x, run: r, image-build-name: i}\n"
    listed = "- project: {check: {jobs: [x]}}\n"
    image = "- image: {name: i, type: zuul}\n"
    elsewhere = tenant_layout({"config": image, "a": job + listed})
    assert [say(error.reason) for error in freeze(elsewhere, "check", "a", "main").errors] == [
        "Job x builds image i, which belongs to project config. List the job there."
    ]
    here = tenant_layout({"a": job, "config": image + "- project: {name: a, check: {jobs: [x]}}\n"})
    (built,) = freeze(here, "check", "a", "main").jobs
    assert built.image_build_name == "i"
