# SPDX-License-Identifier: Apache-2.0
"""Where a node is on a host that somebody else made: directories of its own, below one that is ours alone.

Asked over SSH; how the host is reached and who cleans it is the provider's matter.
"""

from __future__ import annotations

from ...architectures import canonical
from ..model import Places
from .bubblewrap import HOME, PLAY
from .ssh import SshHost

_PREPARE = 'umask 077; mkdir -p "$1" && [ -O "$1" ] && mkdir -p "$1$2$3" "$1$2$4" "$1$2/own" && uname -m'


def places_below(directory: str, node: str, site: str) -> Places:
    """The places of a node; `site` is the host name that stands for the site."""
    own = f"{directory}/{node}"
    return Places(f"{own}{HOME}", f"{own}{PLAY}", site, f"{own}/own")


async def prepare(ssh: SshHost, directory: str, node: str) -> str:
    """Make a node's directories; the architecture of the host, by its one name."""
    return canonical(await ssh.ask("sh", "-c", _PREPARE, "sh", directory, f"/{node}", HOME, PLAY))
