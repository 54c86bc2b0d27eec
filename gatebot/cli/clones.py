# SPDX-License-Identifier: Apache-2.0
"""The site that a clone was made from: where questions go that are asked in it, and what git knows of who asks.

A password comes from git's own helpers, which keep one for each host; what the environment holds is sent to no host
that only a clone names.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

#: The remotes that may be the site, the likeliest first; any other where it is the only one.
_NAMES = ("gatebot", "gerrit", "origin")
_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Site:
    """An address like `https://review.example.org`, and the remote's own, which may name a user."""

    url: str
    remote: str


def site_of(remotes: Mapping[str, str]) -> Site | None:
    """The site among the remotes of a clone, by name; None: none is reached over HTTP."""
    known = [name for name in _NAMES if name in remotes] or (list(remotes) if len(remotes) == 1 else [])
    for name in known:
        remote = remotes[name]
        try:
            parts = urlsplit(remote)
            place = (parts.hostname or "") + (f":{parts.port}" if parts.port else "")
        except ValueError:
            continue
        if parts.scheme in ("http", "https") and place:
            return Site(f"{parts.scheme}://{_bracketed(place, parts.hostname or '')}", remote)
    return None


def here() -> Site | None:
    """The site of the clone that this directory is in."""
    lines = _git("config", "--get-regexp", r"^remote\..*\.url$").splitlines()
    pairs = [line.partition(" ") for line in lines]
    return site_of({key.removeprefix("remote.").removesuffix(".url"): url for key, _, url in pairs})


def who(site: Site, user: str) -> tuple[str, str]:
    """Name and password that git keeps for a site; both empty where it has none, and nobody is asked."""
    parts = urlsplit(site.remote)
    name = user or parts.username or ""
    asked = {"protocol": parts.scheme, "host": parts.netloc.rpartition("@")[2], "path": parts.path.lstrip("/")}
    asked |= {"username": name} if name else {}
    lines = "".join(f"{key}={value}\n" for key, value in asked.items())
    told = dict(line.split("=", 1) for line in _git("credential", "fill", said=lines).splitlines() if "=" in line)
    return (told["username"], told["password"]) if told.get("username") and told.get("password") else ("", "")


def _bracketed(place: str, host: str) -> str:
    return place.replace(host, f"[{host}]", 1) if ":" in host else place


def _git(*arguments: str, said: str = "") -> str:
    """What git prints; nothing where it fails, or would have to ask somebody."""
    quiet = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "SSH_ASKPASS": ""}
    try:
        done = subprocess.run(
            ["git", "-c", "core.askPass=", *arguments], input=said, env=os.environ | quiet, capture_output=True,
            text=True, timeout=_SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return ""
    return done.stdout if done.returncode == 0 else ""
