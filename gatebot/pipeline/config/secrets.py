# SPDX-License-Identifier: Apache-2.0
"""Secrets as configuration has them: values that stay encrypted from the file to the moment a build is given them.

Pure. An encrypted value is kept as `{"!encrypted/KIND": [CHUNK, ...]}`, at any depth; frozen jobs carry that text, so
that a build gets the secret of the very state that it tests. Who decrypts is `vault.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from ...assignment import FrozenJob, Json, Playbook, SecretRef
from .layout import Layout
from .objects import Secret
from .yamltext import ENCRYPTED

Cipher: TypeAlias = "tuple[str, tuple[str, ...]]"
"""The kind of an encrypted value, and its chunks."""

_PREFIX = "!encrypted/"
_TOKEN = "!oidc"  # noqa: S105 - the mark of one


def ciphers(value: Json) -> Iterator[Cipher]:
    """Every encrypted value of a secret."""
    if (found := _cipher(value)) is not None:
        yield found
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from ciphers(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from ciphers(inner)


def opened(value: Json, decrypt: Callable[[Cipher], str]) -> Json:
    """The same with every encrypted value in the clear."""
    if (found := _cipher(value)) is not None:
        return decrypt(found)
    if isinstance(value, Mapping):
        return {name: opened(inner, decrypt) for name, inner in value.items()}
    if isinstance(value, list):
        return [opened(inner, decrypt) for inner in value]
    return value


def _cipher(value: Json) -> Cipher | None:
    if not isinstance(value, Mapping) or len(value) != 1:
        return None
    ((tag, chunks),) = value.items()
    if tag not in ENCRYPTED or not isinstance(chunks, list):
        return None
    return tag.removeprefix(_PREFIX), tuple(str(chunk) for chunk in chunks)


def carrying(secret: Secret, name: str = "", ttl: int = 0) -> SecretRef:
    """A secret as a frozen job carries it; `ttl` is how long a token lives that does not say so itself."""
    told: Mapping[str, Json] = secret.data if secret.oidc is None else {_TOKEN: {"ttl": ttl, **secret.oidc}}
    data = json.dumps(told, sort_keys=True, ensure_ascii=False)
    return SecretRef(name or secret.name, secret.name, secret.at.project, data)


def asked_token(ref: SecretRef) -> dict[str, Json] | None:
    """What a token has to be, where the secret is one."""
    asked = read(ref).get(_TOKEN)
    return dict(asked) if isinstance(asked, Mapping) else None


def read(ref: SecretRef) -> dict[str, Json]:
    """The data of a secret that a frozen job carries."""
    return json.loads(ref.data) if ref.data else {}


def carried(layout: Layout, books: Iterable[Playbook]) -> tuple[Playbook, ...]:
    """Playbooks with the data of the secrets that they name, as this layout has them."""

    def carry(ref: SecretRef) -> SecretRef:
        secret = layout.secrets.get(ref.secret)
        return ref if secret is None else carrying(secret, ref.name, layout.tenant.default_oidc_ttl)

    return tuple(replace(book, secrets=tuple(map(carry, book.secrets))) if book.secrets else book for book in books)


def used(job: FrozenJob) -> tuple[SecretRef, ...]:
    """The secrets that a job's playbooks are given, each once."""
    books = (*job.pre_run, *job.run, *job.post_run, *job.cleanup_run)
    return tuple({(ref.project, ref.secret): ref for book in books for ref in book.secrets}.values())
