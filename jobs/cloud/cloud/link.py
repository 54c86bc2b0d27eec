# SPDX-License-Identifier: Apache-2.0
"""The way between the hosts of a cloud: cards in their networks whose frames go to other nodes in datagrams of UDP.

Each host is in a network of its own, which nothing leads out of. The sockets are opened on the node, before that
network is made, and stay on the node's network: no right on it is needed. `python link.py TAP SOCKET PEER...`
copies, of one card, until it is ended. Only the standard library.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import selectors
import socket
import struct
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

#: Where a datagram comes from and goes to: address and port.
Place: TypeAlias = tuple[str, int]

_TUN = "/dev/net/tun"
_TUNSETIFF, _IFF_TAP, _IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
_LARGEST = 65_536
_AT_ONCE = 64
_ROOM = 4 * 1024 * 1024  # asked for; the kernel gives what it allows


@dataclass(frozen=True, slots=True)
class Card:
    """One card, with the same name on all hosts; hosts have the addresses of `network` in their order.

    Datagrams may be larger than what the nodes' network takes at once: the kernel cuts them and puts them together.
    """

    name: str
    network: str
    mtu: int
    port: int

    def address(self, index: int) -> str:
        """The address of a host, by its place in the row."""
        return f"{self.network}.{index + 1}"


#: What services tell each other, in large pieces: each piece costs the same.
SERVICES = Card("link0", "192.0.2", 8000, 7471)
#: What guests on several hosts tell each other, in tunnels of OVN: the card is a port of Open vSwitch.
TUNNELS = Card("tunnel0", "198.51.100", 1500, 7472)
CARDS = (SERVICES, TUNNELS)


@dataclass(slots=True)
class Hub:
    """Which hosts a frame goes to: the one that frames of its target came from, else all. Pure."""

    peers: Sequence[Place]
    _known: dict[bytes, Place] = field(default_factory=dict[bytes, Place])

    def came(self, frame: bytes, peer: Place) -> bool:
        """Take note of a frame; whether it is one of ours, from a host of this cloud."""
        if peer not in self.peers or len(frame) < 14:
            return False
        self._known[frame[6:12]] = peer
        return True

    def ways(self, frame: bytes) -> Sequence[Place]:
        """Where one from here goes."""
        found = self._known.get(frame[:6])
        return self.peers if found is None else (found,)


def opened(address: str) -> list[socket.socket]:
    """The sockets of all cards, on the network of this process, at one of its addresses."""
    return [_socket(address, card.port) for card in CARDS]


def _socket(address: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for room in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        made.setsockopt(socket.SOL_SOCKET, room, _ROOM)
    made.bind((address, port))
    made.setblocking(False)
    return made


def tap(card: Card) -> int:
    """Make a card in the network of this process; who has this file of it, is at its other end."""
    made = os.open(_TUN, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.ioctl(made, _TUNSETIFF, struct.pack("16sH22x", card.name.encode(), _IFF_TAP | _IFF_NO_PI))
    return made


def _frames(card: int) -> Iterator[bytes]:
    """What was sent from here, as far as it is there already."""
    with contextlib.suppress(BlockingIOError):
        for _ in range(_AT_ONCE):
            yield os.read(card, _LARGEST)


def _datagrams(way: socket.socket) -> Iterator[tuple[bytes, Place]]:
    with contextlib.suppress(BlockingIOError):
        for _ in range(_AT_ONCE):
            yield way.recvfrom(_LARGEST)


def copy(card: int, way: socket.socket, hub: Hub) -> None:
    """Copy for ever. What cannot be passed on is lost, as on any wire."""
    waiting = selectors.DefaultSelector()
    waiting.register(card, selectors.EVENT_READ)
    waiting.register(way, selectors.EVENT_READ)
    while True:
        waiting.select()
        for frame in _frames(card):
            for peer in hub.ways(frame):
                with contextlib.suppress(OSError):
                    way.sendto(frame, peer)
        for frame, peer in _datagrams(way):
            if hub.came(frame, peer):
                with contextlib.suppress(OSError):
                    os.write(card, frame)


def main(words: Sequence[str]) -> None:
    """One card, as the module says."""
    card, number, *peers = words
    way = socket.socket(fileno=int(number))
    port = way.getsockname()[1]
    copy(int(card), way, Hub([(peer, port) for peer in peers]))


if __name__ == "__main__":
    main(sys.argv[1:])
