# SPDX-License-Identifier: Apache-2.0
"""Zuul's format of secrets: RSA of 4096 bits, OAEP with SHA-1, a list of chunks that fit the key.

Exactly what `zuul-client encrypt` makes and Zuul's executor opens. It is here so that existing secrets go on working;
`boxes.py` is for new ones.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import cast

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from ..errors import Invalid

KIND = "pkcs1-oaep"
_BITS = 4096
_OVERHEAD = 42  # what OAEP with SHA-1 takes of a chunk
# Zuul's choice; OAEP does not need a hash without collisions.
_PADDING = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303


def make() -> bytes:
    """A new private key, as PEM. Takes a second of CPU, without holding the interpreter."""
    return _pem(rsa.generate_private_key(public_exponent=65537, key_size=_BITS))


def load(pem: bytes, password: bytes | None = None, *, checked: bool = True) -> rsa.RSAPrivateKey:
    """A private key. Raises `Invalid` for a wrong password, and for what is no RSA key.

    Whether its numbers are sound is looked at where it comes from elsewhere, not again each time (half a second).
    """
    try:
        key = serialization.load_pem_private_key(pem, password, unsafe_skip_rsa_key_validation=checked)
    except (ValueError, TypeError) as error:
        raise Invalid(f"The private key cannot be read: wrong password, or no key ({error}).") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise Invalid("The private key is not an RSA key.")
    return key


def unlocked(pem: bytes, password: bytes) -> bytes:
    """A private key that a password protected, without it; its numbers are checked."""
    return _pem(load(pem, password, checked=False))


def locked(pem: bytes, password: bytes) -> bytes:
    """A private key under a password, as Zuul keeps it."""
    return _pem(load(pem), serialization.BestAvailableEncryption(password))


def public(pem: bytes) -> str:
    """The public key of a private one, as PEM."""
    key = load(pem).public_key()
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def encrypt(public_pem: str, data: bytes) -> tuple[str, ...]:
    """The chunks, in base64; at least one."""
    key = cast(rsa.RSAPublicKey, serialization.load_pem_public_key(public_pem.encode()))
    most = key.key_size // 8 - _OVERHEAD
    pieces = [data[start : start + most] for start in range(0, len(data), most)] or [b""]
    return tuple(base64.b64encode(key.encrypt(piece, _PADDING)).decode() for piece in pieces)


def decrypt(key: rsa.RSAPrivateKey, chunks: Iterable[str]) -> bytes:
    """What the chunks say, joined. Raises `Invalid` when they were not made for this key."""
    try:
        return b"".join(key.decrypt(base64.b64decode("".join(chunk.split())), _PADDING) for chunk in chunks)
    except (ValueError, binascii.Error):
        raise Invalid("It was not encrypted for this project's key.") from None


def _pem(key: rsa.RSAPrivateKey, under: serialization.KeySerializationEncryption | None = None) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        under or serialization.NoEncryption(),
    )
