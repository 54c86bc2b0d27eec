# SPDX-License-Identifier: Apache-2.0
"""By what a network proves who speaks.

Pure. The account of the network's services proves it; a nick only where settings say so and no accounts are told.
Whoever speaks from the web has signed in: the bot says it for him, and no line of a network has such a nick.
"""

from __future__ import annotations

from ..model import Line
from ..webchat.words import username_of

WEB = "web:"
"""What stands before the user name of somebody who speaks from the web."""


def proved(line: Line, *, trusts_nicks: bool) -> str:
    """The name under which a speaker can be linked to an account; empty: nothing proves who he is."""
    if line.account:
        return f"account:{line.account.lower()}"
    # Lines of logs that were taken in later have a nick only, and no word on accounts.
    if line.account == "" and (username := username_of(line.nick)):
        return f"{WEB}{username}"
    return f"nick:{line.nick.lower()}" if trusts_nicks and line.account is None else ""
