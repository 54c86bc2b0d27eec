# SPDX-License-Identifier: Apache-2.0
"""The smallest image that has a shell: busybox and nothing else, so that no registry is needed."""

from __future__ import annotations

import subprocess
from pathlib import Path

from gatebot.executor.providers.container import Podman
from tests.programs import need

NAME = "localhost/gatebot-busybox:1"


def busybox_image(root: Path, podman: Podman) -> str:
    """Import it; its name."""
    busybox = need("busybox", "busybox-static")
    need("podman"), need("runc"), need("catatonit")
    tree = root / "busybox"
    for name in ("bin", "etc", "home/job", "opt/gatebot", "proc", "run", "sys", "tmp", "var/tmp", "usr/bin"):
        (tree / name).mkdir(parents=True, exist_ok=True)
    (tree / "bin/busybox").write_bytes(Path(busybox).read_bytes())
    (tree / "bin/busybox").chmod(0o755)
    (tree / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\njob:x:1000:1000::/home/job:/bin/sh\n")
    names = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split()
    for name in names:
        if name != "busybox":
            (tree / "bin" / name).symlink_to("busybox")
    archive = root / "busybox.tar"
    subprocess.run(["tar", "-C", str(tree), "-cf", str(archive), "."], check=True)
    podman.write()
    line = [podman.program, "import", "--quiet", str(archive), NAME]
    subprocess.run(line, check=True, capture_output=True, env=podman.environment)
    return NAME
