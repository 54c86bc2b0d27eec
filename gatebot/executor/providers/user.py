# SPDX-License-Identifier: Apache-2.0
"""Who this process is, for jobs that are nobody else: without a sandbox, and where ssh is not told a name.

A user that has no name here is told by number, as programs accept it.
"""

from __future__ import annotations

import os
import pwd


def current_user() -> str:
    """The name of the user of this process."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
