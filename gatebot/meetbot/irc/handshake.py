# SPDX-License-Identifier: Apache-2.0
"""Capabilities and SASL before registration ends: a state machine without a socket.

Pure: `advance(state, command, arguments)` returns the next state and the lines to send. Servers that know no
capabilities simply register us; every one of ours is optional. A refused login goes on without it, and says so.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace

HISTORY = ("draft/chathistory", "chathistory")
WANTED = frozenset(
    {
        "server-time", "message-tags", "account-tag", "account-notify", "extended-join", "multi-prefix", "batch",
        "chghost", "cap-notify", "echo-message", *HISTORY,
    }
)  # fmt: skip
_FAILURES = {"902", "904", "905", "906", "907", "908"}
_CHUNK = 400


@dataclass(frozen=True, slots=True)
class Handshake:
    """How far negotiations are. `account` and `secret` are empty where no login is wanted.

    `begun` is whether a login was asked for, `over` whether negotiations have ended: they end once.
    """

    account: str = ""
    secret: str = ""
    external: bool = False
    offered: tuple[str, ...] = ()
    enabled: frozenset[str] = frozenset()
    authenticated: bool = False
    begun: bool = False
    over: bool = False
    problem: str = ""

    @property
    def mechanism(self) -> str:
        """The SASL mechanism wanted; empty for none."""
        if self.external:
            return "EXTERNAL"
        return "PLAIN" if self.account and self.secret else ""

    @property
    def offers_history(self) -> bool:
        """Whether what was missed can be asked for."""
        return any(name in self.enabled for name in HISTORY) and {"batch", "server-time"} <= self.enabled


Step = tuple[Handshake, list[str]]


def advance(state: Handshake, command: str, arguments: Sequence[str]) -> Step:
    """React to one message of the server: `CAP`, `AUTHENTICATE` or a numeric of SASL; others change nothing."""
    match command:
        case "CAP" if len(arguments) >= 2:
            return _capability(state, arguments[0].upper(), arguments[1:])
        case "AUTHENTICATE" if arguments and arguments[0] == "+" and state.begun and not state.authenticated:
            return state, _response(state)
        case "900":
            return replace(state, authenticated=True), []
        case "901":
            return replace(state, authenticated=False), []
        case "903":
            return _end(replace(state, authenticated=True))
        case numeric if numeric in _FAILURES and state.begun:
            return _end(replace(state, problem=f"the login was refused ({numeric}): {' '.join(arguments[-1:])}"))
        case _:
            return state, []


def _end(state: Handshake) -> Step:
    return (state, []) if state.over else (replace(state, over=True), ["CAP END"])


def _capability(state: Handshake, verb: str, arguments: Sequence[str]) -> Step:
    names = tuple(arguments[-1].split())
    match verb:
        case "LS":
            state = replace(state, offered=(*state.offered, *names))
            return (state, []) if arguments[0] == "*" and len(arguments) > 1 else _request(state, state.offered)
        case "NEW":
            return _request(replace(state, offered=(*state.offered, *names)), names)
        case "ACK":
            lost = {name[1:] for name in names if name.startswith("-")}
            state = replace(state, enabled=(state.enabled | {n for n in names if not n.startswith("-")}) - lost)
            if "sasl" in names and state.mechanism and not state.authenticated:
                return replace(state, begun=True), [f"AUTHENTICATE {state.mechanism}"]
            return _end(state)
        case "NAK":
            if "sasl" in names:
                state = replace(state, problem="the server refused to log in")
            return _end(state)
        case "DEL":
            gone = {name.partition("=")[0] for name in names}
            offered = tuple(name for name in state.offered if name.partition("=")[0] not in gone)
            return replace(state, enabled=state.enabled - gone, offered=offered), []
        case _:
            return state, []


def _request(state: Handshake, offers: Sequence[str]) -> Step:
    """Ask for all that is offered and wanted, in one line."""
    offered = {name.partition("=")[0]: name.partition("=")[2] for name in offers}
    wanted = sorted((WANTED & offered.keys()) - state.enabled)
    if state.mechanism and not state.authenticated:
        mechanisms = offered.get("sasl")
        if mechanisms is not None and (not mechanisms or state.mechanism in mechanisms.upper().split(",")):
            wanted.append("sasl")
        elif not state.over:
            state = replace(state, problem=f"the server offers no login by SASL {state.mechanism}")
    return (state, [f"CAP REQ :{' '.join(wanted)}"]) if wanted else _end(state)


def _response(state: Handshake) -> list[str]:
    """The secret in pieces as long as the protocol takes them; an empty last piece ends a full one."""
    if state.mechanism != "PLAIN":
        return ["AUTHENTICATE +"]
    coded = base64.b64encode(f"{state.account}\0{state.account}\0{state.secret}".encode()).decode()
    pieces = [coded[start : start + _CHUNK] for start in range(0, len(coded), _CHUNK)]
    if len(pieces[-1]) == _CHUNK:
        pieces.append("+")
    return [f"AUTHENTICATE {piece}" for piece in pieces]
