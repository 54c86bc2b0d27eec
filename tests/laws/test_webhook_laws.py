# SPDX-License-Identifier: Apache-2.0
"""Laws of webhooks: the signature is HMAC as RFC 2104 writes it; a place never passes what is not told yet."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gatebot.review.deliveries.pauses import pause
from gatebot.review.webhooks.deciding import delivered, failed, safe_place, signature
from gatebot.review.webhooks.model import Due, Progress

AT = datetime(2026, 11, 29, 11, 0, tzinfo=UTC)


def hmac_of_the_rfc(secret: bytes, body: bytes) -> str:
    key = (hashlib.sha256(secret).digest() if len(secret) > 64 else secret).ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + body).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + inner).hexdigest()


@given(secret=st.binary(min_size=1, max_size=200), body=st.binary(max_size=500))
def test_a_signature_is_what_any_other_program_computes(secret: bytes, body: bytes) -> None:
    assert signature(secret, body) == f"sha256={hmac_of_the_rfc(secret, body)}"


@given(secret=st.binary(min_size=1, max_size=64), body=st.binary(min_size=1, max_size=200), data=st.data())
def test_a_signature_fits_no_other_body(secret: bytes, body: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(body) - 1))
    changed = bytearray(body)
    changed[at] ^= data.draw(st.integers(1, 255))
    assert signature(secret, bytes(changed)) != signature(secret, body)
    assert secret.hex() not in signature(secret, body) or len(secret) < 4


@given(ids=st.lists(st.integers(1, 1000), min_size=1, max_size=20, unique=True), data=st.data())
def test_whatever_a_place_passes_was_told(ids: list[int], data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(ids) - 1))
    place = safe_place(ids, position, max(ids))
    assert all(id > place for id in ids[position + 1 :])


@given(outcomes=st.lists(st.tuples(st.booleans(), st.floats(0, 1)), max_size=200))
def test_events_are_taken_or_left_in_order_and_none_is_passed_in_silence(outcomes: list[tuple[bool, float]]) -> None:
    progress, now, told = Progress(0), AT, 0
    for taken, chance in outcomes:
        due = Due(progress.upto + 1, "ref-updated", AT, progress.upto + 1)
        before = progress
        progress = delivered(progress, due, now) if taken else failed(progress, due, "no", now, chance)
        told += taken
        assert progress.upto == told + progress.left_count
        assert progress.left_count == before.left_count or before.tries >= 4
        now = max(now, progress.due or now) + timedelta(seconds=1)


@given(tries=st.integers(1, 10_000), chance=st.floats(0, 1))
def test_a_pause_is_never_nothing_and_never_over_an_hour(tries: int, chance: float) -> None:
    assert timedelta(seconds=5) <= pause(tries, chance=chance) <= timedelta(hours=1)
