# SPDX-License-Identifier: Apache-2.0
"""The jobs of the library that make images of containers, run for real; podman, which knows nothing of us, reads them.

All of it is made here: no registry is asked.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import tarfile
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from gatebot.cli.demo import architectures
from gatebot.errors import Unavailable
from gatebot.executor.model import Sandbox
from tests.fakes.site import RunningSite, Template, begin
from tests.programs import need

#: Jobs install their tools; how long that takes says nothing about them.
PATIENCE = 1800.0
pytestmark = [
    pytest.mark.timeout(5400),
    pytest.mark.skipif("GATEBOT_LIBRARY" not in os.environ, reason="a long one: make test-library"),
]


IMAGE = """\
- project:
    check:
      jobs:
        - container-image-x86_64:
            nodeset: &offline {nodes: [{name: node, label: offline}]}
            vars:
              container_files: {/srv/shop: shop}
              container_build: mkdir -p "$DESTDIR/etc" && echo open > "$DESTDIR/etc/shop"
              container_entrypoint: [/srv/shop/run]
              container_environment: {SHOP: open}
              container_ports: [8080]
        - container-index: {nodeset: *offline}
"""


def test_an_image_is_built_without_a_daemon_and_podman_reads_the_index_of_it(
    working_site: RunningSite, place: Path
) -> None:
    ann = working_site.person("ann")
    change = ann.propose("api", "Pack the shop", {"shop/run": "#!/bin/sh\necho open\n", ".zuul.yaml": IMAGE})
    archive = fetched_index(working_site, ann.hears(change, "Build succeeded.", PATIENCE), place / "api.oci.tar")
    image = pulled(archive, place, "amd64")
    assert image["Architecture"] == "amd64"
    assert image["Config"]["Entrypoint"] == ["/srv/shop/run"]
    assert image["Config"]["Env"] == ["SHOP=open"]
    assert list(image["Config"]["ExposedPorts"]) == ["8080/tcp"]


NATIVE = """\
- project:
    check:
      jobs:
        - container-image:
            vars: {container_build: cc -static -o "$DESTDIR/hello" hello.c, container_entrypoint: /hello}
        - container-index
"""


def test_in_the_sandbox_one_change_becomes_an_image_of_two_architectures(template: Template, place: Path) -> None:
    need_arm64()
    running = begin(template, place)
    running.sandbox = Sandbox.AUTO
    with running as site:
        ann = site.person("ann")
        source = '#include <stdio.h>\nint main(void) { return puts("hello") < 0; }\n'
        change = ann.propose("api", "Say hello", {"hello.c": source, ".zuul.yaml": NATIVE})
        archive = fetched_index(site, ann.hears(change, "Build succeeded.", 2 * PATIENCE), place / "api.oci.tar")
    images = {arch: pulled(archive, place, arch) for arch in ("amd64", "arm64")}
    assert {arch: image["Architecture"] for arch, image in images.items()} == {"amd64": "amd64", "arm64": "arm64"}
    assert images["amd64"]["RootFS"]["Layers"] != images["arm64"]["RootFS"]["Layers"]


NESTED = """
[labels.nested]
nested = true
image = "host"
memory = "1G"
[labels.apart]
image = "host"
"""
ON_A_BASE = """\
- project:
    check:
      jobs:
        - container-image:
            vars: {container_name: base, container_build: cc -static -o "$DESTDIR/tell" tell.c}
        - containerfile-image:
            dependencies: [container-image]
            nodeset: {nodes: [{name: node, label: nested}]}
            vars: {container_build_args: {WORD: open}}
        - container-index
"""
TELL = """\
#include <stdio.h>
#include <sys/utsname.h>
int main(int count, char **words) {
    struct utsname here;
    FILE *file = fopen(words[1], "w");
    return uname(&here) || !file || fprintf(file, "%s %s\\n", here.machine, words[2]) < 0 || fclose(file);
}
"""
CONTAINERFILE = """\
FROM base AS made
ARG WORD
COPY --chown=42:43 shop /own
USER 42:43
RUN ["/tell", "/own/told", "RUN"]
FROM scratch
ARG WORD
COPY --from=made /own/told /srv/
COPY shop /srv/shop
ENV SHOP=$WORD
ENTRYPOINT ["/srv/shop/run"]
"""


def test_a_containerfile_is_built_for_two_architectures_on_what_another_job_made(
    template: Template, place: Path
) -> None:
    need_arm64()
    need("buildah")
    running = begin(template, place, labels=NESTED)
    running.sandbox = Sandbox.AUTO
    files = {"tell.c": TELL, "Containerfile": CONTAINERFILE, "shop/run": "#!/bin/sh\n", ".zuul.yaml": ON_A_BASE}
    with running as site:
        ann = site.person("ann")
        change = ann.propose("api", "Pack the shop", files)
        told = ann.hears(change, "Build succeeded.", 2 * PATIENCE)
        archive = fetched_index(site, told, place / "api.oci.tar")
    for arch, machine in (("amd64", "x86_64"), ("arm64", "aarch64")):
        image = pulled(archive, place, arch)
        assert image["Architecture"] == arch
        assert image["Config"]["Entrypoint"] == ["/srv/shop/run"]
        assert "SHOP=open" in image["Config"]["Env"]
        assert content(place, image, "srv/told") == f"{machine} RUN\n"


def test_where_no_containerfile_can_be_built_the_job_says_what_it_takes(template: Template, place: Path) -> None:
    need("buildah")
    running = begin(template, place, labels=NESTED)
    running.sandbox = Sandbox.AUTO
    with running as site:
        ann = site.person("ann")
        nothing = ann.propose("api", "Pack nothing", {".zuul.yaml": alone("nested")})
        there_is = "error: there is neither a Containerfile nor a Dockerfile in api. Name the file"
        assert there_is in ann.hears(nothing, "Build failed.", PATIENCE)
        apart = ann.propose("api", "Pack it", {"Containerfile": "FROM scratch\n", ".zuul.yaml": alone("apart")})
        wants = "error: a Containerfile wants namespaces of its own, which this node refuses (unshare: unshare failed"
        told = ann.hears(apart, "Build failed.", PATIENCE)
        assert wants in told
        assert "Give the job a nodeset with a label that has nested = true" in told


def alone(label: str) -> str:
    """The configuration of a project that builds by its Containerfile on nodes of a label."""
    nodes = f"{{nodeset: {{nodes: [{{name: node, label: {label}}}]}}}}"
    return f"- project:\n    check:\n      jobs:\n        - containerfile-image-amd64: {nodes}\n"


def need_arm64() -> None:
    """Go on only where programs of arm64 run."""
    try:
        architectures.require()
    except Unavailable as why:
        pytest.skip(str(why))


def fetched_index(site: RunningSite, told: str, target: Path) -> Path:
    """The archive that the job container-index of a change left."""
    build = dict(re.findall(r"- (\S+) \S+/build/(\w+)", told))["container-index"]
    with urllib.request.urlopen(f"{site.url}/logs/{build}/artifacts/{target.name}") as answer:
        target.write_bytes(answer.read())
    return target


def podman(place: Path, *words: str) -> bytes:
    """What podman, which knows nothing of us, says; its images are in a place of their own."""
    need("podman")
    own = ["--root", str(place / "root"), "--runroot", str(place / "run"), "--storage-driver", "vfs"]
    return subprocess.run(["podman", *own, *words], capture_output=True, check=True).stdout


def pulled(archive: Path, place: Path, arch: str) -> dict[str, Any]:
    """What podman takes an archive for on an architecture."""
    identity = podman(place, "pull", "-q", "--arch", arch, f"oci-archive:{archive}").decode().strip()
    (image,) = json.loads(podman(place, "image", "inspect", identity))
    found: dict[str, Any] = image
    return found


def content(place: Path, image: dict[str, Any], name: str) -> str:
    """A file of an image that was pulled."""
    container = podman(place, "create", image["Id"], "none").decode().strip()
    with tarfile.open(fileobj=io.BytesIO(podman(place, "export", container))) as files:
        file = files.extractfile(name)
        assert file is not None
        return file.read().decode()
