# SPDX-License-Identifier: Apache-2.0
"""The keys by which clients know this server again.

Made once, one of each kind that clients in use understand; kept below the site's data, readable by the server alone.
"""

from __future__ import annotations

import os
from pathlib import Path

import asyncssh

_KINDS = {"ed25519": "ssh-ed25519", "ecdsa": "ecdsa-sha2-nistp256", "rsa": "ssh-rsa"}


def host_keys(directory: Path) -> list[asyncssh.SSHKey]:
    """The server's keys; those that are missing are made. Blocks."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    found: list[asyncssh.SSHKey] = []
    for name, algorithm in _KINDS.items():
        file = directory / f"host_{name}"
        if not file.exists():
            _keep(file, asyncssh.generate_private_key(algorithm))  # pyright: ignore[reportUnknownMemberType]
        found.append(asyncssh.read_private_key(file))
    return found


def _keep(file: Path, key: asyncssh.SSHKey) -> None:
    """Under its name only when it is whole, so that a start that was cut short is no trouble for the next."""
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
        target.write(key.export_private_key())
    file.with_suffix(".pub").write_bytes(key.export_public_key())
    draft.replace(file)
