# SPDX-License-Identifier: Apache-2.0
"""What helps where podman has too few user ids for the files of an image.

Pure. podman keeps the ids that it found when it was first called, until it is told to look again with the settings that
the executor gives it; nobody can guess these, so the whole command is said.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from ...reasons import Reason, reason
from .subordinate import RANGE

#: What podman complains of: of an image's files, and of having no ids at all.
_SIGNS = ("insufficient UIDs", "/etc/subuid", "/etc/subgid")


def remedies(told: str, user: str, have: int, first: int, environment: Mapping[str, str]) -> tuple[Reason, ...]:
    """What the administrator is to do, in order; nothing where it is not ids that are missing.

    `have` is how many there are besides the user's own, and from `first` on they are nobody's.
    """
    if "newuidmap" in told and "not found" in told:
        return (reason("executor.program-missing", program="newuidmap", package="uidmap"),)
    if not any(sign in told for sign in _SIGNS):
        return ()
    settings = [f"{name}={value}" for name, value in environment.items()]
    line = ["runuser", "-u", user, "--", "env", "-C", "/", *settings, "podman", "system", "migrate"]
    looked = reason("executor.container-ids-anew", command=shlex.join(line))
    if have >= RANGE:
        return (looked,)
    given = f"{first}-{first + RANGE - 1}"
    return (reason("executor.container-ids-few", user=user, have=have, need=RANGE, given=given), looked)
