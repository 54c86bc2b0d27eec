# SPDX-License-Identifier: Apache-2.0
"""What goes over the wire: never more than 512 bytes, never half a character, never a stranger's command."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gatebot.meetbot.irc import wire

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=2000)
nicks = st.text("abcdefgh", min_size=1, max_size=30)
channels = st.one_of(st.just("#c"), st.text("가나다라", min_size=1, max_size=16).map("#{}".format))


@given(texts, nicks, channels)
def test_every_part_fits_into_512_bytes_with_the_servers_prefix(text: str, nick: str, channel: str) -> None:
    source = f"{nick}!{'u' * 10}@{'h' * 63}"
    for part in wire.split(text, wire.room(source, "PRIVMSG", channel)):
        line = f":{source} PRIVMSG {channel} :{part}\r\n".encode()
        assert len(line) <= 512
        assert wire.is_clean(part)


@given(texts, st.integers(4, 120))
def test_parts_together_are_the_text(text: str, limit: int) -> None:
    parts = list(wire.split(text, limit))
    assert all(len(part.encode()) <= limit for part in parts)
    assert "".join(parts).replace(" ", "") == wire.clean(text).replace(" ", "")


@given(st.lists(st.binary(max_size=60)), st.integers(1, 20))
def test_however_bytes_come_in_the_same_lines_come_out(chunks: list[bytes], size: int) -> None:
    stream = b"".join(chunks)
    whole = wire.Lines(10**6).feed(stream)
    slowly = wire.Lines(10**6)
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert [line for piece in pieces for line in slowly.feed(piece)] == whole


@given(st.binary(max_size=200))
def test_any_bytes_are_some_text(raw: bytes) -> None:
    assert wire.decode(raw).encode() is not None
