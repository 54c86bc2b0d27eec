# SPDX-License-Identifier: Apache-2.0
"""The Debian that jobs run in, as set-up sees it: where it belongs, whether it is there, what keeps it from being made.

    python tools/image.py      one line of JSON

Set-up runs this with the Python that will run the server, before anything is installed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gatebot.executor import images


def lacks() -> str:
    """Why an ordinary user cannot make an image here; empty: nothing is known that would keep him."""
    if os.geteuid() == 0:
        return ""
    if missing := images.missing():
        return f"{' and '.join(missing)} not installed"
    probe = ["unshare", "--user", "--map-root-user", "--map-auto", "true"]
    if shutil.which("unshare") is None or subprocess.run(probe, capture_output=True, check=False).returncode:
        return "this user may have no user namespace with a range of ids (/etc/subuid, and the kernel's settings)"
    return ""


if __name__ == "__main__":
    definition = images.definition_for_host()
    there = images.is_built(definition, images.shared())
    print(json.dumps({"place": str(images.shared()), "there": there, "lacks": "" if there else lacks()}))
