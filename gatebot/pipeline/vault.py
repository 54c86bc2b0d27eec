# SPDX-License-Identifier: Apache-2.0
"""Decrypts the secrets of jobs: tried when an item is prepared, done when a build is given away.

The plain values leave here for one assignment and are kept nowhere. What cannot be decrypted is a configuration error
of every item that would run the job.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from ..assignment import FrozenJob, Json, SecretRef
from ..errors import GatebotError
from ..reasons import Reason, reason
from .config.layout import Layout
from .config.model import ConfigError, Location
from .config.objects import Secret
from .config.secrets import Cipher, asked_token, carrying, ciphers, opened, read, used


class Decrypts(Protocol):
    """The private keys of projects."""

    def decrypt(self, project: str, kind: str, chunks: tuple[str, ...]) -> bytes:
        """An encrypted value of a project; raises a `GatebotError` that says what to do."""
        ...


class Vault:
    """`keys` None: there are none, and no encrypted value can be used. Everything blocks: call it on a thread."""

    def __init__(self, keys: Decrypts | None = None) -> None:
        self._keys = keys
        self._good: set[tuple[str, Cipher]] = set()

    def open(self, job: FrozenJob) -> dict[str, Json]:
        """The values of all secrets of a job, by the names of the secrets; tokens are signed when a playbook begins."""
        return {
            ref.secret: opened(read(ref), lambda cipher, ref=ref: self._decrypt(ref.project, cipher))
            for ref in used(job)
            if asked_token(ref) is None
        }

    def unusable(self, layout: Layout, jobs: Iterable[FrozenJob]) -> tuple[ConfigError, ...]:
        """The errors of secrets that these jobs need and that cannot be decrypted, each once."""
        refs = {(ref.project, ref.secret): ref for job in jobs for ref in used(job)}
        found = ((ref, self._problem(ref)) for ref in refs.values())
        return tuple(_error(layout.secrets.get(ref.secret), ref, why) for ref, why in found if why is not None)

    def all_unusable(self, layout: Layout) -> tuple[ConfigError, ...]:
        """The errors of all secrets of a tenant that cannot be decrypted."""
        refs = ((secret, carrying(secret)) for secret in layout.secrets.values())
        found = ((secret, ref, self._problem(ref)) for secret, ref in refs)
        return tuple(_error(secret, ref, why) for secret, ref, why in found if why is not None)

    def _problem(self, ref: SecretRef) -> Reason | None:
        for cipher in ciphers(read(ref)):
            if (ref.project, cipher) in self._good:
                continue
            try:
                self._decrypt(ref.project, cipher)
            except GatebotError as error:
                why = error.reason or reason("pipeline.secret-trouble", text=str(error))
                return reason("pipeline.secret-unusable", why, secret=ref.secret, project=ref.project)
            self._good.add((ref.project, cipher))
        return None

    def _decrypt(self, project: str, cipher: Cipher) -> str:
        kind, chunks = cipher
        if self._keys is None:
            raise GatebotError(reason=reason("hall.key-missing", project=project, format=kind))
        try:
            return self._keys.decrypt(project, kind, chunks).decode()
        except UnicodeDecodeError:
            raise GatebotError(reason=reason("pipeline.secret-no-text", project=project)) from None


def _error(secret: Secret | None, ref: SecretRef, why: Reason) -> ConfigError:
    at = secret.at if secret is not None else Location(ref.project, "", "")
    return ConfigError(why, at, f"secret {ref.secret}")
