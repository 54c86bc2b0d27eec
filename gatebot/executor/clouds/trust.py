# SPDX-License-Identifier: Apache-2.0
"""Whose host keys are believed, and how a server is told the one that it shall have.

Pure. A server is given its host key and the key that lets us in as cloud-init's user data; a server without cloud-init
makes keys of its own, and those that are on its console, which comes through the cloud's API, are believed too.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_BLOCK = re.compile(r"-----BEGIN SSH HOST KEY KEYS-----(.*?)-----END SSH HOST KEY KEYS-----", re.DOTALL)
_KEY = re.compile(r"\b(ssh-ed25519|ecdsa-sha2-nistp(?:256|384|521)|ssh-rsa) ([A-Za-z0-9+/]{40,}={0,2})")
#: The best first.
_ORDER = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")


@dataclass(frozen=True, slots=True)
class Keys:
    """What a server is given: its host key, and the public half of the key that lets us in."""

    host: str
    host_public: str
    job_public: str


def user_data(keys: Keys, user: str) -> str:
    """What cloud-init reads."""
    told: dict[str, object] = {
        "ssh_deletekeys": True,
        "ssh_keys": {"ed25519_private": keys.host, "ed25519_public": keys.host_public},
        "ssh_authorized_keys": [keys.job_public],
    }
    if user == "root":
        told["disable_root"] = False
    return f"#cloud-config\n{json.dumps(told, indent=1)}\n"


def on_console(output: str) -> tuple[str, ...]:
    """The host keys that a server wrote on its console, the best first; of its last start."""
    blocks = _BLOCK.findall(output)
    return on_offer(blocks[-1]) if blocks else ()


def on_offer(text: str) -> tuple[str, ...]:
    """All host keys in a text, the best first."""
    ordered = sorted(_KEY.findall(text), key=lambda one: _ORDER.index(one[0]))
    return tuple(dict.fromkeys(f"{kind} {key}" for kind, key in ordered))
