# SPDX-License-Identifier: Apache-2.0
"""The site's own key: seals what the database keeps and nobody who reads the database shall know.

A file of 32 random bytes beside the database, made by `gatebot init`, readable by the server's user alone. What was
sealed opens only under the same `about`: a row cannot be put in another's place.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from ..errors import Unavailable

_BYTES = 32
_NONCE = 12


class SiteKey:
    """Seals and opens; ChaCha20-Poly1305, with a random nonce in front."""

    def __init__(self, key: bytes, where: str = "the site's key file") -> None:
        self._cipher = ChaCha20Poly1305(key)
        self._where = where

    @classmethod
    def new(cls) -> SiteKey:
        """A key that lies in no file: what it seals can be opened as long as it lives."""
        return cls(ChaCha20Poly1305.generate_key())

    @classmethod
    def make(cls, file: Path) -> SiteKey:
        """A new key in a new file."""
        key = ChaCha20Poly1305.generate_key()
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(base64.b64encode(key) + b"\n")
        return cls(key, str(file))

    @classmethod
    def read(cls, file: Path) -> SiteKey | None:
        """The key in a file; None when there is no such file. Raises `Unavailable` for one that cannot be used."""
        try:
            key = base64.b64decode(file.read_bytes().strip(), validate=True)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unavailable(f"{file} cannot be read ({error.strerror}). The server's user must own it.") from None
        except ValueError:
            key = b""
        if len(key) != _BYTES:
            raise Unavailable(f"{file} is not the key of a site. Bring it back from a backup: private keys need it.")
        return cls(key, str(file))

    def seal(self, data: bytes, about: str) -> str:
        """Seal, as text."""
        nonce = os.urandom(_NONCE)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, data, about.encode())).decode()

    def open(self, text: str, about: str) -> bytes:
        """What was sealed. Raises `Unavailable` when it was sealed by another key, for something else, or changed."""
        raw = base64.b64decode(text)
        try:
            return self._cipher.decrypt(raw[:_NONCE], raw[_NONCE:], about.encode())
        except InvalidTag:
            raise Unavailable(
                f"{self._where} is not the key that sealed {about}. Bring back the file that belongs to this database."
            ) from None
