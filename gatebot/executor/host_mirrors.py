# SPDX-License-Identifier: Apache-2.0
"""The package indexes that this machine's own pip, npm and apt are set to: what jobs may reach by default.

Read once at start-up. Addresses are handed to jobs without user names and passwords: a job that needs those
needs a secret.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit, urlunsplit

_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


@dataclass(frozen=True, slots=True)
class HostMirrors:
    """Hosts to let through, what to tell pip and npm, and the certificate bundle of this machine."""

    hosts: frozenset[str]
    environment: Mapping[str, str]
    bundle: str


def read() -> HostMirrors:
    """What this machine is set to."""
    pip = _pip()
    asked = _ask_npm()
    index = pip.get("index-url") or _pypi()[0]
    extra = [url for url in pip.get("extra-index-url", "").split() if "://" in url]
    npm = _npm(asked)
    hosts = {_host(url) for url in (index, *extra, npm, *apt_sources())}
    if _host(index) == _host(_pypi()[0]):
        hosts.add(_pypi()[1])
    told = {"PIP_INDEX_URL": _plain(index)} | ({"npm_config_registry": _plain(npm)} if npm else {})
    if extra:
        told["PIP_EXTRA_INDEX_URL"] = " ".join(map(_plain, extra))
    if pip.get("trusted-host"):
        told["PIP_TRUSTED_HOST"] = pip["trusted-host"]
    bundle = next((path for path in (pip.get("cert", ""), *_BUNDLES) if path and os.path.isfile(path)), "")
    return HostMirrors(frozenset(host for host in hosts if host), told, bundle)


def _pip() -> dict[str, str]:
    """pip's settings from its files and the environment, as pip itself merges them."""
    from pip._internal.configuration import Configuration
    from pip._internal.exceptions import PipError

    try:
        configuration = Configuration(isolated=False)
        configuration.load()
        items = configuration.items()
    except PipError:
        return {}
    found: dict[str, str] = {}
    for key, value in items:
        # Newer versions of pip give a table for each file, older ones the settings themselves.
        table = cast("dict[str, object]", value) if isinstance(value, dict) else {key: value}
        for name, setting in table.items():
            section, _, short = name.partition(".")
            if section in ("global", "install", ":env:"):
                found[short] = str(setting)
    return found


def _pypi() -> tuple[str, str]:
    from pip._internal.models.index import PyPI

    return str(PyPI.simple_url), str(PyPI.file_storage_domain)


def _ask_npm() -> subprocess.Popen[str] | None:
    """npm knows its own default; it is slow, so it is asked first and heard last."""
    if shutil.which("npm") is None:
        return None
    quiet = subprocess.DEVNULL
    line = ["npm", "config", "get", "registry"]
    return subprocess.Popen(line, stdin=quiet, stdout=subprocess.PIPE, stderr=quiet, text=True)


def _npm(asked: subprocess.Popen[str] | None) -> str:
    if asked is None:
        return ""
    try:
        told = asked.communicate(timeout=10)[0].strip()
    except subprocess.TimeoutExpired:
        asked.kill()
        asked.communicate()
        return ""
    return told if "://" in told else ""


def apt_sources() -> list[str]:
    """The archives that apt of this machine is set to, first the one that its own release comes from."""
    found: list[str] = []
    root = Path("/etc/apt")
    for path in (root / "sources.list", *sorted((root / "sources.list.d").glob("*"))):
        try:
            lines = path.read_text().splitlines()
        except (OSError, UnicodeDecodeError):
            continue
        for line in lines:
            if re.match(r"\s*(deb|deb-src|URIs:)\s", line):
                found += re.findall(r"https?://\S+", line)
    return found


def _host(url: str) -> str:
    address = urlsplit(url)
    return f"{address.hostname}:{address.port}" if address.port else address.hostname or ""


def _plain(url: str) -> str:
    """A URL without its user name and password."""
    address = urlsplit(url)
    return urlunsplit(address._replace(netloc=address.netloc.rpartition("@")[2]))
