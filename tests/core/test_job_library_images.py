# SPDX-License-Identifier: Apache-2.0
"""Images that jobs of the library write: the same bytes for the same files, and joined with nothing lost."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "jobs/scripts/oci.py"


@pytest.fixture(scope="module")
def oci() -> ModuleType:
    """The module that the scripts of the library import, loaded from where they have it."""
    spec = importlib.util.spec_from_file_location("library_oci", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """What is in an image."""
    place = tmp_path / "root"
    (place / "srv").mkdir(parents=True)
    (place / "srv/run").write_text("#!/bin/sh\n")
    return place


def test_the_same_files_give_the_same_digests_whenever_they_are_packed(oci: ModuleType, root: Path) -> None:
    first = oci.image("shop", root, "amd64", {"User": "shop"}, 7, oci.Layout())
    os.utime(root / "srv/run", (1, 1))
    again = oci.image("shop", root, "amd64", {"User": "shop"}, 7, oci.Layout())
    assert first.entries == again.entries
    assert first.blobs == again.blobs


def test_an_index_has_each_architecture_and_survives_being_written_and_read(
    oci: ModuleType, root: Path, tmp_path: Path
) -> None:
    made = [oci.image("shop", root, arch, {}, 7, oci.Layout()) for arch in ("arm64", "amd64")]
    index = oci.joined("shop", made)
    index.write(tmp_path / "shop.oci.tar")
    read = oci.Layout.load(tmp_path / "shop.oci.tar")
    assert (read.entries, read.blobs) == (index.entries, index.blobs)
    for arch, one in zip(("arm64", "amd64"), made, strict=True):
        assert read.manifest(arch)["digest"] == one.entries[0]["digest"]
    with pytest.raises(oci.Damaged, match="no image for s390x"):
        read.manifest("s390x")


def test_an_image_on_a_base_has_its_layers_and_settings_below_its_own(oci: ModuleType, root: Path) -> None:
    base = oci.image("base", root, "arm64", {"User": "shop", "Cmd": ["a"]}, 7, oci.Layout())
    (root / "srv/more").write_text("more")
    made = oci.image("shop", root, "arm64", {"Cmd": ["b"]}, 7, oci.joined("base", [base]))
    below = base.read(base.manifest("arm64"))
    manifest = made.read(made.manifest("arm64"))
    assert manifest["layers"][:1] == below["layers"]
    config = made.read(manifest["config"])
    assert config["config"] == {"User": "shop", "Cmd": ["b"]}
    assert len(config["rootfs"]["diff_ids"]) == len(manifest["layers"]) == 2


def test_a_blob_that_is_not_what_its_name_says_is_refused(oci: ModuleType, root: Path, tmp_path: Path) -> None:
    made = oci.image("shop", root, "amd64", {}, 7, oci.Layout())
    name = made.entries[0]["digest"]
    made.blobs[name] = json.dumps({"layers": []}).encode()
    made.write(tmp_path / "bad.oci.tar")
    with pytest.raises(oci.Damaged, match="the content of sha256:"):
        oci.Layout.load(tmp_path / "bad.oci.tar")
