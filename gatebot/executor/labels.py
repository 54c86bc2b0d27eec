# SPDX-License-Identifier: Apache-2.0
"""The labels that a site's settings describe, checked against its providers.

Pure. A label may only promise what its provider keeps: a network that nobody shuts is not called `none`. What a label
does not say of the network is the first that its provider has.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import SettingsError
from .model import DEFAULT_LABELS, LOCAL, Label, Network, label_from

#: The networks that nodes of each kind of provider can have.
NETWORKS: Mapping[str, tuple[Network, ...]] = {
    "local": (Network.MIRRORS, Network.NONE, Network.FULL),
    "static": (Network.FULL,),
    "container": (Network.FULL, Network.NONE),
    "qemu": (Network.MIRRORS, Network.NONE, Network.FULL),
    "kubernetes": (Network.FULL,),
    "openstack": (Network.FULL,),
}


#: Kinds of providers whose nodes can let jobs make namespaces of their own.
NESTING = frozenset({LOCAL, "qemu", "openstack"})


def site_labels(labels: Mapping[str, Mapping[str, object]], kinds: Mapping[str, str]) -> dict[str, Label]:
    """The labels of the settings above the ones that every site has; `kinds` are those of its providers by name."""
    return {**DEFAULT_LABELS, **{name: _checked(name, keys, {LOCAL: LOCAL, **kinds}) for name, keys in labels.items()}}


def _checked(name: str, keys: Mapping[str, object], kinds: Mapping[str, str]) -> Label:
    label = label_from(name, keys)
    kind = kinds.get(label.provider)
    if kind is None:
        known = ", ".join(sorted(kinds))
        raise SettingsError(f"labels.{name}.provider: there is no [providers.{label.provider}]; this site has {known}.")
    if label.nested and kind not in NESTING:
        raise SettingsError(
            f"labels.{name}.nested: nodes of the provider {label.provider} ({kind}) are as that host lets them be. "
            f"Leave it out, or give the label to a provider of the kind {' or '.join(sorted(NESTING))}."
        )
    if label.imaged and kind != LOCAL:
        raise SettingsError(
            f"labels.{name}: `packages` and `script` are for images of the provider local; {label.provider} is {kind}. "
            "Leave them out."
        )
    if "server" in keys and kind != "openstack":
        raise SettingsError(
            f"labels.{name}.server: nodes of the provider {label.provider} ({kind}) are no servers of a cloud. "
            "Leave it out, or give the label to a provider of the kind openstack."
        )
    networks = NETWORKS[kind]
    if "network" not in keys:
        return label_from(name, {**keys, "network": networks[0].value})
    if label.network not in networks:
        has = ", ".join(networks)
        raise SettingsError(
            f"labels.{name}.network: a node of the provider {label.provider} ({kind}) cannot be shut off like this; "
            f"it has {has}. Write that, or another provider."
        )
    return label
