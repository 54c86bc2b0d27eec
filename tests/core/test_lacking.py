# SPDX-License-Identifier: Apache-2.0
"""Whom a refusal for want of a permission sends to whom, in words."""

from __future__ import annotations

from gatebot import words
from gatebot.access import Target, Verb
from gatebot.lacking import lacking


def test_nobody_is_sent_to_himself_for_a_permission() -> None:
    target = Target("api", "refs/heads/main", change_owner=7)
    stranger, owner = lacking(Verb.SUBMIT, target, 8).reason, lacking(Verb.SUBMIT, target, 7).reason
    assert stranger
    assert owner
    assert words.say(stranger) == (
        "This needs the permission submit on refs/heads/main of api. "
        "Ask an administrator for it, or the owner of the change to do it."
    )
    assert words.say(owner) == (
        "This needs the permission submit on refs/heads/main of api. "
        "Ask an owner of the project or an administrator for it."
    )
