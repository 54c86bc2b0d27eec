# SPDX-License-Identifier: Apache-2.0
"""Characters that turn the direction of what follows, made visible.

A subject, a file name or a line that is shown in another order than it is read lies to who reads it: on pages and on
IRC such characters are told by their names instead.
"""

from __future__ import annotations

import re

TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def marked(text: str) -> str:
    """The text with marks in place of these characters."""
    return TURNS.sub(lambda found: f"\u27e6U+{ord(found[0]):04X}\u27e7", text)
