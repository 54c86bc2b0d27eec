#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Job container-image: an OCI image for the architecture of the node, from variables, without a daemon or root."""

from __future__ import annotations

import platform
import shutil
from pathlib import Path
from typing import Any

import image_artifacts
import job
import oci

_SETTINGS = {
    "Entrypoint": "container_entrypoint",
    "Cmd": "container_command",
}
_TEXTS = {"User": "container_user", "WorkingDir": "container_workdir"}


def settings() -> dict[str, Any]:
    """What the image says of how it is run."""
    found: dict[str, Any] = {key: words for key, name in _SETTINGS.items() if (words := job.words(name))}
    found |= {key: value for key, name in _TEXTS.items() if (value := job.text(name))}
    given = job.table("container_environment")
    if given:
        found["Env"] = [f"{name}={value}" for name, value in given.items()]
    if ports := job.words("container_ports"):
        found["ExposedPorts"] = {port if "/" in port else f"{port}/tcp": {} for port in ports}
    return found | {"Labels": {"org.opencontainers.image.revision": job.commit(), **job.table("container_labels")}}


def fill(root: Path) -> None:
    """What the image has in it: files of the project, and what its own command puts there."""
    for target, source in job.table("container_files").items():
        place = root / str(target).lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if not Path(source).exists():
            job.fail(f"container_files: there is no {source} in the project.")
        if Path(source).is_dir():
            shutil.copytree(source, place, symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copy2(source, place)
    command = job.text("container_build")
    if command and job.run("sh", "-c", command, DESTDIR=str(root)):
        job.fail(f"container_build ({command}) failed; the reason is above.")
    if not any(root.iterdir()):
        job.fail(
            "the image would be empty. Say what is in it: container_files, or container_build with $DESTDIR; for a "
            "Containerfile or Dockerfile take the job containerfile-image."
        )


def main() -> None:
    """Fill, pack, tell."""
    architecture = oci.ARCHITECTURES.get(platform.machine(), platform.machine())
    root = job.HOME / "image"
    root.mkdir()
    fill(root)
    try:
        base = oci.Layout.load(Path(job.text("container_base"))) if job.text("container_base") else oci.Layout()
        made = oci.image(image_artifacts.name(), root, architecture, settings(), int(job.moment()), base)
    except (oci.Damaged, OSError) as error:
        job.fail(f"container_base: {error}")
    image_artifacts.keep(made, architecture)


main()
