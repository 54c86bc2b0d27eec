# SPDX-License-Identifier: Apache-2.0
"""Images as the OCI image layout has them (https://github.com/opencontainers/image-spec): written, read, joined.

Imported by the scripts beside it. No daemon, no root, no network: an image is a few JSON files and archives, named by
their digests. The same files give the same digests, whenever and wherever they are packed.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_NAME = "org.opencontainers.image.ref.name"
#: How container programs call architectures, by what `uname -m` says.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}  # others have one name

Json = dict[str, Any]


class Damaged(Exception):
    """What was read is no image, or not all of one."""


def digest(content: bytes) -> str:
    """The name of a blob."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def encoded(value: Json) -> bytes:
    """JSON, always the same for the same value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


@dataclass
class Layout:
    """Blobs by their digests, and the descriptors of what is to be found in them."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    entries: list[Json] = field(default_factory=list)

    def put(self, kind: str, content: bytes, **more: Any) -> Json:
        """Keep a blob; the descriptor of it."""
        name = digest(content)
        self.blobs[name] = content
        return {"mediaType": kind, "digest": name, "size": len(content), **more}

    def read(self, descriptor: Json) -> Json:
        """A blob that is JSON."""
        value: Json = json.loads(self.blobs[descriptor["digest"]])
        return value

    def write(self, target: Path) -> None:
        """An archive that `podman load`, `podman pull oci-archive:` and `skopeo copy oci-archive:` read."""
        index = encoded({"schemaVersion": 2, "mediaType": INDEX, "manifests": self.entries})
        files = {"oci-layout": encoded({"imageLayoutVersion": "1.0.0"}), "index.json": index}
        files |= {f"blobs/{name.replace(':', '/')}": content for name, content in sorted(self.blobs.items())}
        with tarfile.open(target, "w") as archive:
            for name, content in files.items():
                about = tarfile.TarInfo(name)
                about.size, about.mode = len(content), 0o644
                archive.addfile(about, io.BytesIO(content))

    @classmethod
    def load(cls, source: Path) -> Layout:
        """An archive that was written so; each blob is compared with its digest. Raises `Damaged`."""
        found = cls()
        try:
            with tarfile.open(source) as archive:
                files = {one.name.removeprefix("./"): archive.extractfile(one) for one in archive if one.isfile()}
                read = {name: file.read() for name, file in files.items() if file is not None}
            found.entries = json.loads(read["index.json"])["manifests"]
        except (tarfile.TarError, KeyError, ValueError) as error:
            raise Damaged(f"{source.name} is no archive of an OCI image layout: {error}") from None
        for name, content in read.items():
            if name.startswith("blobs/sha256/"):
                wanted = name.removeprefix("blobs/").replace("/", ":")
                if digest(content) != wanted:
                    raise Damaged(f"{source.name}: the content of {wanted} is {digest(content)}")
                found.blobs[wanted] = content
        return found

    def described(self, name: str, architecture: str) -> Layout:
        """The same image of one architecture, called and described as those that are made here."""
        (entry,) = self.entries
        about = {"platform": _platform(architecture), "annotations": {_NAME: name}}
        return Layout(self.blobs, [{"mediaType": MANIFEST, **entry, **about}])

    def manifest(self, architecture: str) -> Json:
        """The descriptor of the image for an architecture, however deep. Raises `Damaged`."""
        waiting = list(self.entries)
        while waiting:
            one = waiting.pop(0)
            if one["mediaType"] == INDEX:
                waiting += self.read(one)["manifests"]
            elif self.read(self.read(one)["config"])["architecture"] == architecture:
                return one
        raise Damaged(f"there is no image for {architecture} in it")


def layer(root: Path, moment: int) -> bytes:
    """A directory as an uncompressed layer: everything is root's, of one moment, in order."""
    packed = io.BytesIO()

    def plain(one: tarfile.TarInfo) -> tarfile.TarInfo:
        one.uid = one.gid = 0
        one.uname = one.gname = ""
        one.mtime = moment
        return one

    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path in sorted(root.rglob("*")):
            archive.add(path, str(path.relative_to(root)), recursive=False, filter=plain)
    return packed.getvalue()


def image(name: str, root: Path, architecture: str, settings: Mapping[str, Any], moment: int, base: Layout) -> Layout:
    """An image of one layer on top of those of its base, which may be empty."""
    made, below, kept = Layout(), [], {}
    if base.entries:
        manifest = base.read(base.manifest(architecture))
        kept, below = base.read(manifest["config"]), manifest["layers"]
        made.blobs |= {one["digest"]: base.blobs[one["digest"]] for one in below}
    content = layer(root, moment)
    top = made.put(_LAYER, gzip.compress(content, mtime=0))
    under = kept.get("rootfs", {}).get("diff_ids", [])
    config = {
        "architecture": architecture,
        "os": "linux",
        "config": {**kept.get("config", {}), **settings},
        "rootfs": {"type": "layers", "diff_ids": [*under, digest(content)]},
        "history": [*kept.get("history", []), {"created_by": f"gatebot: {name}"}],
    }
    described = made.put(_CONFIG, encoded(config))
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": [*below, top]}
    made.entries = [made.put(MANIFEST, encoded(manifest))]
    return made.described(name, architecture)


def _platform(architecture: str) -> Json:
    return {"os": "linux", "architecture": architecture}


def joined(name: str, images: Iterable[Layout]) -> Layout:
    """One index of images of several architectures: who pulls it gets the one that fits."""
    made, manifests = Layout(), []
    for one in images:
        made.blobs |= one.blobs
        manifests += [{key: value for key, value in entry.items() if key != "annotations"} for entry in one.entries]
    manifests.sort(key=lambda entry: entry["platform"]["architecture"])
    index = encoded({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests})
    made.entries = [made.put(INDEX, index, annotations={_NAME: name})]
    return made
