# SPDX-License-Identifier: Apache-2.0
"""What a topic may be, however it is given: by a push, by REST, over SSH, with a new change.

Pure. The sentences are Gerrit's where it has one. Line ends and other control characters (Gerrit makes blanks of them,
or keeps them) are refused: a topic is one line, and lists, mail and IRC show it as it is.
"""

from __future__ import annotations

import re

from ..reasons import Reason, reason

LONGEST = 2048
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def flaw(topic: str) -> Reason | None:
    """Why a text can be no topic; None: it can."""
    if len(topic) > LONGEST:
        return reason("review.topic-too-long", limit=LONGEST)
    if '"' in topic:
        return reason("review.topic-quoted")
    return reason("review.topic-control") if _CONTROL.search(topic) else None
