# SPDX-License-Identifier: Apache-2.0
"""New key pairs of OpenSSH, for machines that are made for one node: nobody had them before.

Where they are kept, and who is told of them, is the provider's matter.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


def new_pair() -> tuple[str, str]:
    """A new key of OpenSSH and its public half."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return private.decode(), public.decode()
