#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Job containerfile-image: an OCI image by a project's Containerfile, for one platform, on a node of a nested label.

The script begins anew as root of namespaces of its own; there buildah builds. Programs
of another architecture run by qemu-user, of which only those namespaces are told.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import image_artifacts
import job
import oci

_ROOM = job.HOME / "containers"
_TRUST = ("--signature-policy", str(_ROOM / "policy.json"))
_OWN = (
    "--user",
    "--map-root-user",
    *(("--map-auto",) if Path("/etc/subuid").is_file() else ()),
    "--mount",
    "--pid",
    "--cgroup",
    "--fork",
    "--kill-child",
    "--mount-proc",
)
#: How qemu calls an architecture, and the number that heads of programs have for it (all of them little-endian).
_EMULATED = {
    "amd64": ("x86_64", 0x3E),
    "arm64": ("aarch64", 0xB7),
    "ppc64le": ("ppc64le", 0x15),
    "riscv64": ("riscv64", 0xF3),
}
_STORAGE = """\
[storage]
driver = "vfs"
runroot = "{room}/run"
graphroot = "{room}/store"
[storage.options]
ignore_chown_errors = "{single}"
"""
_FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", re.IGNORECASE | re.MULTILINE)
_ASKED = re.compile(r"^\s*ARG\s+(\w+)", re.IGNORECASE | re.MULTILINE)


def file() -> Path:
    """The Containerfile of the project."""
    named = job.text("container_file")
    context = Path(job.text("container_context") or ".")
    for place in [Path(named)] if named else [context / "Containerfile", context / "Dockerfile"]:
        if place.is_file():
            return place
    where = f"no {named} here" if named else f"neither a Containerfile nor a Dockerfile in {context.resolve().name}"
    job.fail(f"there is {where}. Name the file in the variable container_file, its directory in container_context.")


def builder() -> str:
    """The program that builds; the job ends where the node has none, or lets nobody make namespaces."""
    found = shutil.which("buildah")
    if found is None or not (shutil.which("runc") or shutil.which("crun")):
        job.fail(
            "buildah, with runc, is not on this node. Debian: apt-get install buildah runc, where its image comes from."
        )
    tried = subprocess.run(["unshare", *_OWN, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        job.fail(
            f"a Containerfile wants namespaces of its own, which this node refuses ({tried.stderr.strip()}). Give the "
            "job a nodeset with a label that has nested = true, or take the job container-image, which needs none."
        )
    return found


def furnish() -> dict[str, str]:
    """Where the builder keeps things, whom it trusts, what short names mean; the environment that says so."""
    (_ROOM / "run").mkdir(parents=True)
    (_ROOM / "storage.conf").write_text(
        _STORAGE.format(room=_ROOM, single=str("--map-auto" not in _OWN).lower()), "utf-8"
    )
    (_ROOM / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}', "utf-8")
    lines = ['unqualified-search-registries = ["docker.io"]']
    for name, place in job.table("container_registries").items():
        lines += ["[[registry]]", f"prefix = {json.dumps(name)}", f"location = {json.dumps(str(place))}"]
    (_ROOM / "registries.conf").write_text("\n".join(lines), "utf-8")
    return {
        "CONTAINERS_STORAGE_CONF": str(_ROOM / "storage.conf"),
        "CONTAINERS_REGISTRIES_CONF": str(_ROOM / "registries.conf"),
        "XDG_RUNTIME_DIR": str(_ROOM / "run"),
        "TMPDIR": "/var/tmp",  # noqa: S108 - its own
    }


def mounts() -> None:
    """What the builder wants in its namespaces: a /var and a /run that it may write to, control groups of its own."""
    for name in ("tmp", "cache", "lib"):
        (_ROOM / "var" / name).mkdir(parents=True)
    job.must("mount", "--bind", _ROOM / "var", "/var")
    job.must("mount", "-t", "tmpfs", "none", "/run")
    job.must("mount", "-t", "cgroup2", "none", "/sys/fs/cgroup")


def emulate(architecture: str) -> None:
    """Let programs of another architecture run in these namespaces; where that cannot be, `RUN` fails."""
    name, machine = _EMULATED.get(architecture, (architecture, 0))
    emulator = shutil.which(f"qemu-{name}-static")
    if not machine or emulator is None:
        print(f"no qemu-{name}-static on this node: RUN will find no program of linux/{architecture}", flush=True)
        return
    place = _ROOM / "binfmt"
    place.mkdir()
    job.must("mount", "-t", "binfmt_misc", "none", place)
    head = b"\x7fELF\2\1\1" + bytes(9) + b"\2\0" + machine.to_bytes(2, "little")
    mask = b"\xff" * 7 + b"\0" + b"\xff" * 8 + b"\xfe\xff\xff\xff"
    told = (b"".join(b"\\x%02x" % byte for byte in part) for part in (head, mask))
    (place / "register").write_bytes(b":own:M::%s:%s:%s:PF" % (*told, emulator.encode()))
    print(f"programs of linux/{architecture} run by {emulator}: emulated", flush=True)


def bases(architecture: str) -> dict[str, Path]:
    """Images to build on, by their names: of the project, and of jobs before this one."""
    found = {name: Path(str(place)) for name, place in job.table("container_bases").items()}
    for kind in ("container_index", "container_image"):
        for about, url in job.artifacts(kind):
            if about["name"] not in found and about.get("arch", architecture) == architecture:
                found[about["name"]] = job.fetched(url)
    return found


def bring(program: str, architecture: str) -> set[str]:
    """Give the builder the images to build on; their names."""
    found = bases(architecture)
    for name, archive in found.items():
        code, said = job.heard(program, "pull", "--quiet", *_TRUST, "--arch", architecture, f"oci-archive:{archive}")
        if code:
            job.fail(f"{archive.name} cannot be built on; the reason is above.")
        job.must(program, "tag", said.split()[-1], f"localhost/{name}")
    return set(found)


def build(program: str, architecture: str) -> str:
    """Build; the id of the image."""
    here, source, identity = bring(program, architecture), file(), _ROOM / "id"
    said = source.read_text("utf-8")
    stages = {stage for _, stage in _FROM.findall(said)}
    elsewhere = {name.removeprefix("localhost/") for name, _ in _FROM.findall(said)} - {"scratch", *stages, *here}
    asked = set(_ASKED.findall(said))
    given = {name: os.environ[name] for name in asked if name in os.environ} | job.table("container_build_args")
    labels = {"org.opencontainers.image.revision": job.commit(), **job.table("container_labels")}
    command: list[str | Path] = [program, "build", *_TRUST, "--arch", architecture, "--file", source]
    command += ["--pull=false" if elsewhere else "--pull-never", "--isolation", "rootless", "--network", "host"]
    command += ["--timestamp", job.moment(), "--iidfile", identity]
    command += [word for name, value in given.items() for word in ("--build-arg", f"{name}={value}")]
    command += [word for name, value in labels.items() for word in ("--label", f"{name}={value}")]
    command += ["--target", job.text("container_target")] if job.text("container_target") else []
    if job.run(*command, job.text("container_context") or "."):
        job.fail(f"{source} could not be built; the reason is above.")
    return identity.read_text("utf-8").strip()


def inside(program: str, architecture: str) -> None:
    """As root of namespaces of its own: build, pack, tell."""
    mounts()
    if architecture != oci.ARCHITECTURES.get(platform.machine()):
        emulate(architecture)
    identity = build(program, architecture)
    packed = _ROOM / "image.tar"
    job.must(program, "push", "--quiet", *_TRUST, identity, f"oci-archive:{packed}")
    image_artifacts.keep(oci.Layout.load(packed).described(image_artifacts.name(), architecture), architecture)


def main() -> None:
    """Look whether it can be; begin anew inside."""
    architecture = job.text("platform")
    if sys.argv[1:]:
        inside(sys.argv[1], architecture)
        return
    file()
    program = builder()
    own = ["unshare", *_OWN, sys.executable, __file__, program]
    sys.exit(subprocess.run(own, env=os.environ | furnish(), check=False).returncode)


main()
