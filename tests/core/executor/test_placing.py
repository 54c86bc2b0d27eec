# SPDX-License-Identifier: Apache-2.0
"""Which provider gives each node, by tables; what holds for every site and every job is a law."""

from __future__ import annotations

from datetime import UTC, datetime

from gatebot.architectures import Execution
from gatebot.assignment import NodeChoice, NodeSpec
from gatebot.executor.model import Label, Sandbox
from gatebot.executor.placing import Busy, Never, Offer, Placement, Site, place, tried
from gatebot.executor.providers.model import Capacity, Platform
from gatebot.reasons import reason
from gatebot.words import say

NATIVE, KVM, USER = Execution.NATIVE, Execution.KVM, Execution.EMULATED_USER
HERE = Offer(Capacity((Platform("x86_64"), Platform("arm64", USER)), 0))
HOSTS = Offer(Capacity((Platform("arm64", NATIVE, 2), Platform("x86_64", NATIVE, 1)), 2), trusted=True)
GONE = Offer(reason("executor.provider-silent", seconds=60))
LABELS = {
    "small": Label("small"),
    "arm": Label("arm", arch="arm64"),
    "board": Label("board", provider="hosts"),
    "pod": Label("pod", provider="cluster"),
    "lost": Label("lost", provider="nobody"),
    "root": Label("root", privileged=True),
}
SITE = Site(LABELS, {"local": HERE, "hosts": HOSTS, "cluster": GONE})


def nodes(*specs: NodeSpec | str) -> NodeChoice:
    return NodeChoice(tuple(one if isinstance(one, NodeSpec) else NodeSpec((one,), one) for one in specs))


def placed(*choices: NodeChoice, site: Site = SITE, trusted: bool = False) -> list[tuple[str, str, Execution]]:
    found = place(site, "b", choices, post_review=trusted)
    assert isinstance(found, Placement), found
    return [node.kind[:3] for node in found.nodes]


def never(*choices: NodeChoice, trusted: bool = False) -> str:
    found = place(SITE, "b", choices, post_review=trusted)
    assert isinstance(found, Never), found
    return say(found.why)


def test_a_job_without_nodes_has_one_all_the_same() -> None:
    assert placed(NodeChoice()) == [("local", "x86_64", NATIVE)]


def test_what_is_not_asked_for_is_the_best_that_there_is_and_what_is_emulated_is_asked_for() -> None:
    assert placed(nodes("small")) == [("local", "x86_64", NATIVE)]
    assert placed(nodes("arm")) == [("local", "arm64", USER)]
    assert placed(nodes(NodeSpec(("n",), "small", arch="aarch64"))) == [("local", "arm64", USER)]
    assert placed(nodes(NodeSpec(("n",), "board", arch="amd64")), trusted=True) == [("hosts", "x86_64", NATIVE)]


def test_nodes_are_numbered_after_the_build_and_keep_their_names() -> None:
    found = place(SITE, "b", [nodes("small", "arm")], post_review=False)
    assert isinstance(found, Placement)
    assert [(one.node, one.spec.names, one.execution) for one in found.nodes] == [
        ("b", ("small",), NATIVE),
        ("b-1", ("arm",), USER),
    ]


def test_what_can_never_be_is_told_with_what_there_is() -> None:
    assert never(nodes(NodeSpec(("n",), "small", arch="s390x"))) == (
        "No node with the label small can ever be s390x: its provider local has x86_64 native, arm64 emulated-user. "
        "Use another label, or take the demand away."
    )
    assert "can ever be arm64 native" in never(nodes(NodeSpec(("n",), "arm", execution="native")))
    assert "are arm64, and the job asks for x86_64" in never(nodes(NodeSpec(("n",), "arm", arch="x86_64")))
    assert "No node has the label huge. This site has: arm, board," in never(nodes("huge"))
    assert never(nodes("smal")).endswith("or add [labels.smal] to gatebot.toml. Did you mean small?")
    assert "which this executor does not have. Add [providers.nobody]" in never(nodes("lost"))
    assert "only jobs that run after review" in never(nodes("root"))
    assert "whose nodes are used again" in never(nodes("board"))
    assert "cannot be used now. It did not answer within 60 seconds." in never(nodes("pod"))
    assert "3 nodes of the provider hosts, which can never have more than 2" in never(
        nodes("board", "board", "board"), trusted=True
    )


def test_alternatives_are_tried_in_order_and_one_that_is_possible_is_waited_for() -> None:
    assert placed(nodes("pod"), nodes("huge"), nodes("small")) == [("local", "x86_64", NATIVE)]
    assert never(nodes("pod"), nodes("huge")).startswith(
        "None of the 2 alternatives of the nodeset can ever be served."
    )
    full = Site(LABELS, SITE.offers, {("hosts", "arm64", NATIVE, 0): 2})
    found = place(full, "b", [nodes("board"), nodes("small")], post_review=True)
    assert isinstance(found, Busy)
    assert found.providers == {"hosts"}
    assert say(found.why) == "Waits for a node: the provider hosts has none free; 2 are in use."


def test_any_execution_goes_where_there_is_room_and_no_other_does() -> None:
    offers = {"local": Offer(Capacity((Platform("x86_64", KVM, 1), Platform("x86_64", USER, 1)), 0))}
    site = Site(LABELS, offers, {("local", "x86_64", KVM, 0): 1})
    assert isinstance(place(site, "b", [nodes("small")], post_review=False), Busy)
    assert placed(nodes(NodeSpec(("n",), "small", execution="any")), site=site) == [("local", "x86_64", USER)]


def test_a_node_that_takes_anything_leaves_to_others_what_they_need() -> None:
    offers = {"local": Offer(Capacity((Platform("x86_64", KVM, 1), Platform("x86_64", USER, 1)), 2))}
    asked = nodes(NodeSpec(("a",), "small", execution="any"), NodeSpec(("b",), "small", execution="kvm"))
    assert placed(asked, site=Site(LABELS, offers)) == [("local", "x86_64", USER), ("local", "x86_64", KVM)]


def test_a_nested_label_is_served_only_by_who_tried_and_can() -> None:
    refused = reason("executor.nesting-refused", told="unshare: unshare failed: No space left on device")
    labels = {"cloud": Label("cloud", nested=True)}
    can = Site(labels, {"local": Offer(Capacity((Platform("x86_64"),), 0, nested=True))})
    cannot = Site(labels, {"local": Offer(Capacity((Platform("x86_64"),), 0, problems=(refused,)))})
    assert placed(nodes("cloud"), site=can) == [("local", "x86_64", NATIVE)]
    found = place(cannot, "b", [nodes("cloud")], post_review=False)
    assert isinstance(found, Never)
    assert say(found.why) == (
        "The label cloud is nested, and nodes of the provider local cannot make namespaces of their own. "
        "Namespaces, mounts and a tun device inside a sandbox were tried on this machine, and failed: "
        "unshare: unshare failed: No space left on device. They take Linux 5.11 or newer, util-linux in the default "
        "image, user.max_user_namespaces above 0, and a tun device: run modprobe tun, and chmod 0666 /dev/net/tun "
        "where the server is not started as root. Then restart the server."
    )


def test_ranges_of_user_ids_are_counted_where_they_are_few() -> None:
    """Who has none to give makes nested nodes with one id; what is not nested, or emulated, takes none."""
    labels = {"cloud": Label("cloud", nested=True), "small": Label("small")}
    platforms = (Platform("x86_64", ids=65_536), Platform("arm64", USER, ids=1))
    offers = {"local": Offer(Capacity(platforms, 0, nested=True, ranges=1))}
    site = Site(labels, offers)
    found = place(site, "b", [nodes("cloud", "small", NodeSpec(("n",), "cloud", arch="arm64"))], post_review=False)
    assert isinstance(found, Placement)
    assert [one.given.ids for one in found.nodes] == [65_536, 0, 1]
    full = Site(labels, offers, {found.nodes[0].kind: 1})
    assert isinstance(place(full, "c", [nodes("cloud")], post_review=False), Busy)
    assert isinstance(place(full, "c", [nodes("small")], post_review=False), Placement)
    assert isinstance(place(full, "c", [nodes("cloud", "cloud")], post_review=False), Never)


def test_a_nested_label_says_what_to_change_where_nothing_was_tried() -> None:
    labels = {"cloud": Label("cloud", nested=True)}
    told = "The label cloud is nested, and nodes of the provider local cannot make namespaces of their own. "
    helps = {
        Sandbox.NONE: (
            'Jobs run without a sandbox here. Write sandbox = "auto" under [executor] in gatebot.toml and restart the '
            'server, or give the label a provider that makes them: provider = "NAME" in [labels.cloud], of '
            '[providers.NAME] with kind = "qemu".'
        ),
        None: (
            'Write a provider in [labels.cloud] that can: provider = "local" with a sandbox, or one of kind = "qemu".'
        ),
    }
    for sandbox, words in helps.items():
        site = Site(labels, {"local": Offer(Capacity((Platform("x86_64"),), 0, sandbox=sandbox))})
        found = place(site, "b", [nodes("cloud")], post_review=False)
        assert isinstance(found, Never)
        assert say(found.why) == told + words


def test_a_label_whose_image_is_not_there_is_waited_for_and_takes_nothing_from_others() -> None:
    why = reason("executor.label-image-building", label="small", since="09:10")
    site = Site(LABELS, SITE.offers, {}, {"small": why})
    found = place(site, "b", [nodes("small")], post_review=False)
    assert found == Busy(why, frozenset())
    assert say(why) == "Waits for the image of the label small, which is being built (since 09:10 UTC)."
    assert isinstance(place(site, "b", [nodes("arm")], post_review=False), Placement)
    assert isinstance(place(site, "b", [nodes("lost"), nodes("small")], post_review=False), Busy)


def test_a_provider_that_can_do_nothing_before_its_first_image_is_there_is_waited_for() -> None:
    """What this machine's own sandboxes lack is something else, and no image brings it."""
    why = reason("executor.label-image-building", label="vm", since="09:10")
    labels = {"vm": Label("vm", provider="vm"), "own": Label("own", packages=("jq",))}
    none = Offer(reason("executor.no-machine", reason("executor.machine-image", arch="x86_64")))
    bare = Offer(reason("executor.bubblewrap-missing"))
    site = Site(labels, {"vm": none, "local": bare}, {}, dict.fromkeys(labels, why))
    assert place(site, "b", [nodes("vm")], post_review=False) == Busy(why, frozenset())
    assert isinstance(place(site, "b", [nodes("own")], post_review=False), Never)


def test_an_architecture_whose_image_is_not_built_yet_is_waited_for_where_a_label_wants_it() -> None:
    """Nobody is told to use another label meanwhile; what cannot be built in the background says what brings it."""
    why = reason("executor.label-image-building", label="mainframe", since="09:10")
    labels = {"mainframe": Label("mainframe", arch="s390x"), "small": Label("small")}
    lacks = (("s390x", reason("executor.arch-image-lacks", arch="s390x")),)
    offers = {"local": Offer(Capacity((Platform("x86_64"),), 0, lacking=lacks))}
    found = place(Site(labels, offers, {}, {"mainframe": why}), "b", [nodes("mainframe")], post_review=False)
    assert found == Busy(why, frozenset())
    for asked in (nodes("mainframe"), nodes(NodeSpec(("n",), "small", arch="s390x"))):
        found = place(Site(labels, offers), "b", [asked], post_review=False)
        assert isinstance(found, Never)
        label = asked.nodes[0].label
        assert say(found.why) == (
            f"No node with the label {label} can be s390x now: its provider local has x86_64 native. There is no image "
            'of s390x: run gatebot image build --arch s390x and restart the server, or write arch = "s390x" in a '
            "label of gatebot.toml, and the server builds it in the background."
        )
    real = place(Site(labels, offers), "b", [nodes(NodeSpec(("n",), "small", "s390x", "native"))], post_review=False)
    assert isinstance(real, Never)
    assert "no image" not in say(real.why)


def test_what_a_provider_that_is_still_tried_out_may_be_able_to_do_is_waited_for() -> None:
    since = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
    labels = {"vm": Label("vm", provider="vm"), "arm": Label("arm", provider="vm", arch="arm64")}
    nothing = Site(labels, {"vm": Offer(tried(since), trying=since)})
    some = Site(labels, {"vm": Offer(Capacity((Platform("x86_64", KVM),), 2), trying=since)})
    told = "Waits for the provider vm of the label arm, which is still being tried out (since 09:00 UTC)."
    for site in (nothing, some):
        found = place(site, "b", [nodes("arm")], post_review=False)
        assert isinstance(found, Busy)
        assert say(found.why) == told
    assert placed(nodes("vm"), site=some) == [("vm", "x86_64", KVM)]
    other = place(nothing, "b", [nodes(NodeSpec(("n",), "arm", arch="x86_64"))], post_review=False)
    assert isinstance(other, Never), "what the label itself refuses is known at once"
    assert [say(why) for why in nothing.offers["vm"].problems] == ["It is still being tried out (since 09:00 UTC)."]
    assert some.offers["vm"].problems == nothing.offers["vm"].problems


def test_after_a_wait_another_alternative_is_taken_if_it_is_free() -> None:
    """Native nodes first, an emulated one when none came in time; never before, and never without being asked for."""
    native, emulated = nodes(NodeSpec(("n",), "board", arch="arm64")), nodes("arm")
    busy: dict[tuple[str, str, Execution, int], int] = {("hosts", "arm64", NATIVE, 0): 2}
    site = Site(LABELS, SITE.offers, busy, patience=600.0)

    def after(waited: float, *choices: NodeChoice, site: Site = site) -> object:
        found = place(site, "b", choices, post_review=True, waited=waited)
        return [node.kind[:3] for node in found.nodes] if isinstance(found, Placement) else type(found)

    assert after(599.0, native, emulated) is Busy
    assert after(600.0, native, emulated) == [("local", "arm64", USER)]
    assert after(9999.0, native) is Busy
    assert after(9999.0, native, nodes("pod")) is Busy
    assert after(9999.0, native, emulated, site=Site(LABELS, SITE.offers, busy)) is Busy
    assert after(9999.0, native, emulated, site=Site(LABELS, SITE.offers, {}, patience=600.0)) == [
        ("hosts", "arm64", NATIVE)
    ]
