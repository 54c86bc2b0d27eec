# SPDX-License-Identifier: Apache-2.0
"""The architectures that nodes have, under one name each, and the ways in which a node comes by one.

Only names. People write the names of Debian, of Python and of the kernel; inside there is one of each.
"""

from __future__ import annotations

from enum import StrEnum

#: The names that are used everywhere: in labels, requests, results and on pages.
ARCHITECTURES = ("x86_64", "arm64", "ppc64le", "s390x", "riscv64")
#: What a job writes for the execution where any will do.
ANY = "any"
#: Other names of these, by theirs.
ALIASES = {"amd64": "x86_64", "x86-64": "x86_64", "aarch64": "arm64", "ppc64el": "ppc64le"}


class Execution(StrEnum):
    """How a node comes by its architecture: it has it, has it under a hypervisor, or something plays it."""

    NATIVE = "native"
    KVM = "kvm"
    EMULATED_USER = "emulated-user"
    EMULATED_SYSTEM = "emulated-system"


def canonical(name: str) -> str:
    """The one name of an architecture; a name that nobody knows stays as it is."""
    low = name.strip().lower()
    return ALIASES.get(low, low)
