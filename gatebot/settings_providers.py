# SPDX-License-Identifier: Apache-2.0
"""The settings of each kind of provider, `[providers.NAME]`, as `settings_fields.py` has those of the site.

Only frozen values; what is made of them is `executor/providing.py`'s work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from .settings_words import setting


@dataclass(frozen=True, slots=True)
class Static:
    """Hosts that are there already, reached by SSH and used by one build after another."""

    hosts: tuple[str, ...] = setting((), "Where nodes can be.", unit="HOST, USER@HOST or USER@HOST:PORT")
    user: str = setting("", "The user on hosts that name none; it needs no rights. Empty: the server's own name.")
    key: str = setting(
        "", "The private key, without a passphrase, that the user's `authorized_keys` knows; relative to this file.",
        unit="file",
    )  # fmt: skip
    known_hosts: str = setting(
        "", "Holds the keys of the hosts, as `ssh-keyscan` prints them; no other host is spoken to.", unit="file"
    )
    directory: str = setting(
        "/var/tmp/gatebot",  # noqa: S108 - on hosts; whose it is is checked there
        "Where nodes are on every host; made there, and refused where it is somebody else's.",
        unit="directory",
    )
    slots: int = setting(1, "How many nodes a host has at the same time.", least=1)
    jobs: str = setting(
        "post-review",
        "Which jobs may have the nodes: one can leave behind what the next one trips over, so by default only those of "
        "pipelines that run after review.",
        choices=("post-review", "any"),
    )
    reuse: bool = setting(
        True,
        "Whether a host has another build after its first. If not, it waits until somebody has made it new, and with "
        "that has removed the file `used` from `directory`; `slots` is 1 then.",
    )
    cleanup: str = setting(
        "",
        "What is done on a host between builds: a command for its shell, or an Ansible playbook of this machine "
        "(`.yaml`, relative to this file). A host whose cleaning fails has no builds until it succeeds.",
        unit="command or file",
    )
    alone: bool = setting(
        False,
        "Whether the user is there for builds alone: all its processes then end with a build. If not, those do that "
        "carry the build's mark in their environment.",
    )


@dataclass(frozen=True, slots=True)
class Container:
    """Containers of podman on this machine, for images of a registry."""

    image: str = setting(
        "", "The image of labels that name none, such as `docker.io/library/debian:12`; pulled when it is not there."
    )
    slots: int = setting(0, "How many there are at the same time; 0: as many as there are processors.", least=0)


@dataclass(frozen=True, slots=True)
class Qemu:
    """Full virtual machines on this machine, of its own and of other architectures; see docs/nodes.md."""

    architectures: tuple[str, ...] = setting(
        (), "Which machines there must be: a missing one is said. Empty: those whose image is built."
    )
    slots: int = setting(0, "How many there are at the same time; 0: as many as there are processors.", least=0)


@dataclass(frozen=True, slots=True)
class Kubernetes:
    """Pods of a Kubernetes cluster, version 1.30 or newer."""

    server: str = setting("", "The cluster's API, such as https://10.0.0.1:6443.", unit="URL")
    token: str = setting("", "Holds the token of a service account; read anew when it changes.", unit="file")
    ca: str = setting("", "The certificate authority of the API; empty: those of this machine.", unit="file")
    namespace: str = setting("gatebot", "Where the pods are made.")
    image: str = setting("", "The image of labels that name none, such as `docker.io/library/debian:12`.")
    slots: int = setting(0, "How many pods there are at the same time; 0: as many as builds want.", least=0)
    architectures: tuple[str, ...] = setting((), "Those of the cluster's machines; empty: the cluster is asked.")


@dataclass(frozen=True, slots=True)
class OpenStack:
    """Servers of an OpenStack cloud, one for each node; a label can have its own `server` (see docs/nodes.md)."""

    cloud: str = setting("", "The cloud's name in `clouds`.")
    clouds: str = setting(
        "clouds.yaml",
        "Says where clouds are and who we are there, as OpenStack's own clients read it; a `secure.yaml` beside it is "
        "read too.",
        unit="file",
    )
    image: str = setting("", "The image of labels that name none: a name, of which the newest counts, or an id.")
    flavor: str = setting("", "The flavor of servers; empty: the smallest that has what the label says.")
    network: str = setting("", "Where servers are; empty: the one network that the project has.")
    floating_network: str = setting(
        "", "The network that floating addresses are taken from; empty: servers are reached at their own."
    )
    security_groups: tuple[str, ...] = setting(
        (), "Groups that let this executor in by SSH; empty: the project's `default`."
    )
    zone: str = setting("", "The availability zone; empty: any.")
    volume: int = setting(0, "Boot from a new volume of so many GiB; 0: from the flavor's own disk.", least=0)
    user: str = setting("debian", "The user that the image lets in by SSH.")
    port: int = setting(22, "Where servers answer SSH.", least=1)
    directory: str = setting(
        "/var/tmp/gatebot",  # noqa: S108 - on the server, which is made for one node
        "Where the node is on a server.",
        unit="directory",
    )
    architectures: tuple[str, ...] = setting((), "Those that servers have; empty: that of `image`, by its properties.")
    execution: str = setting(
        "kvm",
        "How servers come by their architecture.",
        choices=("native", "kvm", "emulated-system"),
    )
    slots: int = setting(0, "How many servers there are at the same time; 0: as many as the quota lets.", least=0)
    boot_timeout: int = setting(
        600, "How long a server may take from being asked for to its first command; the wait for quota is beside it.",
        unit="seconds", least=1,
    )  # fmt: skip
    rate: int = setting(10, "The most calls to each service of the cloud in a second.", least=1)
    trust_first_host_key: bool = setting(
        False,
        "Whether a server is believed whose host key is neither the one that it was given nor on its console: whoever "
        "is between can then be taken for it.",
    )


Provider: TypeAlias = Static | Container | Qemu | Kubernetes | OpenStack


PROVIDERS: tuple[tuple[str, type[Provider]], ...] = (
    ("static", Static),
    ("container", Container),
    ("qemu", Qemu),
    ("kubernetes", Kubernetes),
    ("openstack", OpenStack),
)
"""The kinds of `[providers.NAME]`, each with keys of its own; this machine is the provider `local`, and needs none."""
NEEDED: Mapping[str, tuple[str, ...]] = {
    "static": ("hosts", "key", "known_hosts"),
    "container": ("image",),
    "qemu": (),
    "kubernetes": ("server", "token", "image"),
    "openstack": ("cloud", "image"),
}
"""What a provider of a kind cannot be without."""
