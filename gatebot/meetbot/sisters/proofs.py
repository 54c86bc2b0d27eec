# SPDX-License-Identifier: Apache-2.0
"""By what a network proves who speaks.

Pure. The account of the network's services proves it; a nick only where settings say so and no accounts are told.
"""

from __future__ import annotations

from ..model import Line


def proved(line: Line, *, trusts_nicks: bool) -> str:
    """The name under which a speaker can be linked to an account; empty: nothing proves who he is."""
    if line.account:
        return f"account:{line.account.lower()}"
    return f"nick:{line.nick.lower()}" if trusts_nicks and line.account is None else ""
