# SPDX-License-Identifier: Apache-2.0
"""What `zuul-admin export-keys` writes, and `import-keys` reads: JSON with private keys under the keystore's password.

Pure but for cryptography. Zuul keeps keys by connection and project; here a project's name alone tells it. Keys for
SSH, of tenants and for OIDC stand in the file too, and are not used here: they are counted, so that people are told.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast
from urllib.parse import quote_plus, unquote_plus

from ..errors import Invalid
from . import oaep

_ROOT = "/keystorage"


@dataclass(frozen=True, slots=True)
class Exported:
    """The RSA private keys of an export (PEM) by project, and how many keys of other uses it has."""

    keys: dict[str, bytes]
    others: int


def read(text: str, password: bytes) -> Exported:
    """The keys of an export. Raises `Invalid` with what is wrong, and for which project."""
    try:
        data: object = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    entries = cast("dict[str, object]", data).get("keys") if isinstance(data, dict) else None
    if not isinstance(entries, dict):
        raise Invalid('This is no export of keys: `zuul-admin export-keys FILE` writes JSON that begins with {"keys":')
    found: dict[str, bytes] = {}
    where: dict[str, str] = {}
    others = 0
    for path, entry in cast("dict[str, object]", entries).items():
        parts = path.split("/")
        if not (path.startswith(f"{_ROOT}/") and len(parts) == 6 and parts[5] == "secrets"):
            others += 1
            continue
        project = unquote_plus(parts[4])
        if project in where:
            both = f"{where[project]} and {parts[2]}"
            raise Invalid(f"{project} has keys on two connections ({both}): remove one from the file.")
        where[project] = parts[2]
        found[project] = _unlocked(project, entry, password)
    return Exported(found, others)


def write(keys: Iterable[tuple[str, bytes, int]], password: bytes, connection: str) -> str:
    """An export of private keys (project, PEM, when they were made in seconds) that `zuul-admin import-keys` reads."""
    made = {
        f"{_ROOT}/{connection}/{project.split('/')[0]}/{quote_plus(project)}/secrets": {
            "schema": 1,
            "keys": [{"version": 0, "created": created, "private_key": oaep.locked(pem, password).decode()}],
        }
        for project, pem, created in keys
    }
    return json.dumps({"keys": made}, sort_keys=True) + "\n"


def _unlocked(project: str, entry: object, password: bytes) -> bytes:
    try:
        pem = cast("dict[str, list[dict[str, str]]]", entry)["keys"][0]["private_key"].encode()
    except (KeyError, IndexError, TypeError, AttributeError):
        raise Invalid(f"The entry of {project} has no private key in it.") from None
    try:
        return oaep.unlocked(pem, password)
    except Invalid as error:
        raise Invalid(f"{project}: {error} The password stands in zuul.conf, section [keystore].") from None
