# SPDX-License-Identifier: Apache-2.0
"""What is kept out of logs: secrets, in every spelling."""

from __future__ import annotations

import base64
import html
import json
import shlex
from urllib.parse import quote, quote_plus

import pytest

from gatebot.executor.scrub import Scrubber


def test_secret_values_are_covered_in_every_spelling() -> None:
    scrub = Scrubber({"demo/api": {"token": "s3cret&value", "key": "line one\nline two", "pin": 123456}})
    told = b"a s3cret&value b line two c 123456 d s3cret%26value e " + base64.b64encode(b"s3cret&value")
    assert scrub(told).rstrip(b"=") == b"a ***** b ***** c ***** d ***** e *****"


def test_short_values_and_no_values_leave_the_text_alone() -> None:
    assert Scrubber({"p": {"a": "abc", "b": True}})(b"abc True") == b"abc True"
    assert Scrubber({})(b"anything") == b"anything"


def test_a_secret_inside_a_longer_base64_text_is_covered() -> None:
    scrub = Scrubber({"login": {"password": "s3cret-value"}})
    for before in (b"a", b"ab", b"abc", b"admin:"):
        for after in (b"", b"x", b"xy"):
            encoded = base64.b64encode(before + b"s3cret-value" + after)
            told = scrub(b"header: " + encoded)
            assert b"*****" in told, (before, after)
            assert len(told) < len(encoded), "no more than two letters at each end may be left"


def _wrapped(width: int) -> list[bytes]:
    encoded = base64.b64encode(VALUE.encode())
    return [encoded[at : at + width] for at in range(0, len(encoded), width)]


VALUE = "s3cret?&~value<'\u20ac>/" * 7


@pytest.mark.parametrize(
    "told",
    [
        VALUE.encode(), VALUE.encode().hex().encode(), VALUE.encode().hex().upper().encode(), VALUE.encode()[::-1],
        base64.urlsafe_b64encode(VALUE.encode()), base64.urlsafe_b64encode(b"admin:" + VALUE.encode() + b"@host"),
        base64.encodebytes(VALUE.encode() + b"\n"), quote(VALUE).encode(), quote_plus(VALUE).encode(),
        quote(VALUE, safe="").lower().encode(), json.dumps(VALUE).encode(), repr(VALUE).encode(),
        json.dumps({"key": VALUE}, ensure_ascii=False).encode(), html.escape(VALUE).encode(),
        shlex.quote(VALUE).encode(), b"".join(b"%s\n" % piece for piece in _wrapped(64)),
    ],
)  # fmt: skip
def test_a_long_secret_is_covered_however_it_is_spelled(told: bytes) -> None:
    """Line by line, as a log has it; no more than a few letters at the ends of what is encoded are left."""
    scrub = Scrubber({"login": {"password": VALUE}})
    left = b"".join(scrub(line).replace(b"*****", b"") for line in told.splitlines())
    assert len(left) < 30, left
