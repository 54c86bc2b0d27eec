# SPDX-License-Identifier: Apache-2.0
"""Which calls a client makes, as lines of a log like those of services: time, call, and the id that it was given.

So the story of a request begins with who asked for it. What is sent, and what comes back, is not in these lines.
"""

from __future__ import annotations

import logging
from pathlib import Path

_FORMAT = "%(asctime)s.%(msecs)03d %(process)d INFO openstack [-] %(message)s"
_TOLD = "used request id"


def keep(path: Path) -> None:
    """Write the calls of this process from now on to a file."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter(_FORMAT, "%Y-%m-%d %H:%M:%S"))
    handler.addFilter(lambda record: _TOLD in record.msg)
    sessions = logging.getLogger("keystoneauth.session")  # of openstacksdk and of the command `openstack`
    sessions.setLevel(logging.DEBUG)
    sessions.addHandler(handler)
    sessions.propagate = False
