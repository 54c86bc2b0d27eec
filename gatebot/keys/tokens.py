# SPDX-License-Identifier: Apache-2.0
"""OpenID Connect tokens of builds: JSON Web Tokens signed with RS256 by a key of the site.

Only signing, and the public key in the form that verifiers fetch; nothing here reads a token.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import cast

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from . import oaep

KIND = "oidc-rs256"
ALGORITHM = "RS256"


def sign(pem: bytes, claims: Mapping[str, object]) -> str:
    """A token with these claims."""
    key = oaep.load(pem)
    head = {"alg": ALGORITHM, "typ": "JWT", "kid": jwk(oaep.public(pem))["kid"]}
    body = b".".join(_encoded(json.dumps(part, separators=(",", ":")).encode()) for part in (head, claims))
    return b".".join((body, _encoded(key.sign(body, padding.PKCS1v15(), hashes.SHA256())))).decode()


def jwk(public_pem: str) -> dict[str, str]:
    """A public key as a JSON Web Key; its id is a hash of it."""
    key = cast(rsa.RSAPublicKey, serialization.load_pem_public_key(public_pem.encode()))
    numbers = key.public_numbers()
    n, e = (_encoded(part.to_bytes((part.bit_length() + 7) // 8)).decode() for part in (numbers.n, numbers.e))
    kid = hashlib.sha256(n.encode()).hexdigest()[:16]
    return {"kty": "RSA", "use": "sig", "alg": ALGORITHM, "kid": kid, "n": n, "e": e}


def _encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
