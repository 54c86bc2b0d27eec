# SPDX-License-Identifier: Apache-2.0
"""Who may do what on NATS: the server decides at each connection, by the pass that an executor shows.

NATS asks (its "auth callout"), and gets a signed answer with the subjects of that executor and no others, good for an
hour: a revoked executor is out by then, and refused by HTTP at once. It works alike on a server of ours and on one of
the site, which needs the few lines of `configuration` and no list of users.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import os
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nats.aio.client import Client
from nats.aio.msg import Msg

from ...errors import Unavailable
from .model import BEAT, DELIVER, STREAM

log = logging.getLogger(__name__)
ACCOUNT, USER = "GATEBOT", "gatebot"
"""The account of everything, and the server's own user in it."""
_ASKED = "$SYS.REQ.USER.AUTH"
_HOUR = 3600
_ACCOUNT_KEY = b"\x00"  # public keys of accounts begin with A
_RAW = serialization.Encoding.Raw, serialization.PublicFormat.Raw


class Signer:
    """The key that NATS believes: kept in a file of the server's own, made when there is none."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        raw = _ACCOUNT_KEY + key.public_key().public_bytes(*_RAW)
        check = binascii.crc_hqx(raw, 0).to_bytes(2, "little")
        self.public = base64.b32encode(raw + check).decode().rstrip("=")

    @classmethod
    def of(cls, file: Path) -> Signer:
        """The key in a file. Raises `Unavailable` for one that cannot be used."""
        try:
            return cls(Ed25519PrivateKey.from_private_bytes(base64.b64decode(file.read_bytes())))
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as problem:
            raise Unavailable(
                f"{file} cannot be used as the key for NATS: {problem}. Remove it to make another."
            ) from None
        key = Ed25519PrivateKey.generate()
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(base64.b64encode(key.private_bytes_raw()) + b"\n")
        return cls(key)

    def sign(self, claims: Mapping[str, object]) -> str:
        """A token that NATS reads."""
        told = {"jti": uuid.uuid4().hex, "iat": int(time.time()), "iss": self.public, **claims}
        text = f"{_part({'typ': 'JWT', 'alg': 'ed25519-nkey'})}.{_part(told)}"
        return f"{text}.{_letters(self._key.sign(text.encode()))}"


def configuration(issuer: str, password: str) -> str:
    """The part of a NATS configuration that lets this server in and asks it about everybody else."""
    return f"""\
accounts {{
  {ACCOUNT} {{
    jetstream: enabled
    users: [ {{ user: {USER}, password: {json.dumps(password)} }} ]
  }}
}}
authorization {{
  timeout: 5
  auth_callout {{ issuer: {issuer}, account: {ACCOUNT}, auth_users: [ {USER} ] }}
}}
"""


def permissions(name: str) -> dict[str, object]:
    """The subjects of one executor: to hear and acknowledge words, to say that it lives and hear the answer."""
    return {
        "pub": {"allow": [f"{BEAT}.{name}", f"$JS.ACK.{STREAM}.{name}.>"]},
        "sub": {"allow": [f"{DELIVER}.{name}", f"_INBOX.{name}.>"]},
    }


async def answer_for_ever(client: Client, signer: Signer, known: Callable[[str], str | None]) -> None:
    """Answer NATS from now on; `known` tells the executor of a pass."""

    async def asked(message: Msg) -> None:
        try:
            await message.respond(answer(signer, message.data, known).encode())
        except (ValueError, KeyError, TypeError) as problem:
            log.warning("NATS asked something that we do not understand: %r", problem)

    await client.subscribe(_ASKED, cb=asked)  # pyright: ignore[reportUnknownMemberType]


def answer(signer: Signer, question: bytes, known: Callable[[str], str | None]) -> str:
    """What NATS is told about one connection."""
    told = _read(question.decode().split(".")[1])
    nats = cast("dict[str, dict[str, str]]", told["nats"])
    who, options = str(nats["user_nkey"]), nats["connect_opts"]
    name = known(options.get("pass", ""))
    result: dict[str, object] = {"type": "authorization_response", "version": 2}
    if name is None or name != options.get("user"):
        result["error"] = "the pass is none of this site, or too old"
    else:
        unlimited = {"subs": -1, "data": -1, "payload": -1}
        own = {**permissions(name), **unlimited, "type": "user", "version": 2}
        until = int(time.time()) + _HOUR
        result["jwt"] = signer.sign({"sub": who, "name": name, "aud": ACCOUNT, "exp": until, "nats": own})
    return signer.sign({"sub": who, "aud": nats["server_id"]["id"], "nats": result})


def _part(value: Mapping[str, object]) -> str:
    return _letters(json.dumps(value).encode())


def _letters(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _read(part: str) -> dict[str, object]:
    return cast("dict[str, object]", json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))
