# SPDX-License-Identifier: Apache-2.0
"""What is kept out of logs: secrets, in every spelling."""

from __future__ import annotations

import base64

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
