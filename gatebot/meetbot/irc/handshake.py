# SPDX-License-Identifier: Apache-2.0
"""Capabilities and SASL before registration ends: a state machine without a socket.

Pure: `advance(state, command, arguments)` returns the next state and the lines to send. Servers that know no
capabilities simply register us; every one of ours is optional. A refused login goes on without it, and says so.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace

WANTED = frozenset(
    {
        "server-time",
        "message-tags",
        "account-tag",
        "account-notify",
        "extended-join",
        "multi-prefix",
        "batch",
        "chghost",
    }
)
_FAILURES = {"902", "904", "905", "906", "907", "908"}
_CHUNK = 400


@dataclass(frozen=True, slots=True)
class Handshake:
    """How far negotiations are. `account` and `secret` are empty where no login is wanted."""

    account: str = ""
    secret: str = ""
    external: bool = False
    offered: tuple[str, ...] = ()
    enabled: frozenset[str] = frozenset()
    authenticated: bool = False
    problem: str = ""

    @property
    def mechanism(self) -> str:
        """The SASL mechanism wanted; empty for none."""
        if self.external:
            return "EXTERNAL"
        return "PLAIN" if self.account and self.secret else ""


Step = tuple[Handshake, list[str]]


def advance(state: Handshake, command: str, arguments: Sequence[str]) -> Step:
    """React to one message of the server: `CAP`, `AUTHENTICATE` or a numeric of SASL; others change nothing."""
    match command.upper():
        case "CAP" if len(arguments) >= 2:
            return _capability(state, arguments[0].upper(), arguments[1:])
        case "AUTHENTICATE" if arguments and arguments[0] == "+":
            return state, _response(state)
        case "903":
            return replace(state, authenticated=True), ["CAP END"]
        case numeric if numeric in _FAILURES:
            return replace(state, problem=f"the login was refused ({numeric}): {' '.join(arguments[-1:])}"), ["CAP END"]
        case _:
            return state, []


def _capability(state: Handshake, verb: str, arguments: Sequence[str]) -> Step:
    names = tuple(arguments[-1].split())
    if verb == "LS":
        state = replace(state, offered=(*state.offered, *names))
        return (state, []) if arguments[0] == "*" else _request(state)
    if verb == "ACK":
        enabled = state.enabled | {name for name in names if not name.startswith("-")}
        state = replace(state, enabled=enabled)
        return state, [f"AUTHENTICATE {state.mechanism}" if "sasl" in names and state.mechanism else "CAP END"]
    if verb == "NAK":
        problem = "the server refused to log in" if "sasl" in names else ""
        return replace(state, problem=problem), ["CAP END"]
    if verb == "DEL":
        return replace(state, enabled=state.enabled - set(names)), []
    return state, []


def _request(state: Handshake) -> Step:
    """Ask for all that is offered and wanted, in one line."""
    offered = {name.partition("=")[0]: name.partition("=")[2] for name in state.offered}
    wanted = sorted(WANTED & offered.keys())
    if state.mechanism:
        mechanisms = offered.get("sasl")
        if mechanisms is not None and (not mechanisms or state.mechanism in mechanisms.upper().split(",")):
            wanted.append("sasl")
        else:
            state = replace(state, problem=f"the server offers no login by SASL {state.mechanism}")
    return state, [f"CAP REQ :{' '.join(wanted)}" if wanted else "CAP END"]


def _response(state: Handshake) -> list[str]:
    """The secret in pieces as long as the protocol takes them; an empty last piece ends a full one."""
    if state.mechanism != "PLAIN":
        return ["AUTHENTICATE +"]
    coded = base64.b64encode(f"{state.account}\0{state.account}\0{state.secret}".encode()).decode()
    pieces = [coded[start : start + _CHUNK] for start in range(0, len(coded), _CHUNK)]
    if len(pieces[-1]) == _CHUNK:
        pieces.append("+")
    return [f"AUTHENTICATE {piece}" for piece in pieces]
