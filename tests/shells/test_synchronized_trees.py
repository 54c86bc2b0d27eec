# SPDX-License-Identifier: Apache-2.0
"""Trees as the action `synchronize` compares and moves them, between two ends that are directories of this machine."""

from __future__ import annotations

import os
import tarfile
from importlib import util
from pathlib import Path
from types import ModuleType

import pytest

from gatebot import assets


def loaded() -> ModuleType:
    where = "collections/ansible_collections/ansible/posix/plugins/module_utils/trees.py"
    spec = util.spec_from_file_location("trees", assets.path("jobs", "ansible") / where)
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


trees = loaded()


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def names(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())


def synchronized(src: str, dest: str, *options: str, delete: bool = False) -> list[str]:
    end = trees.Here(trees.options(list(options)))
    return trees.synchronized(end, end, src, dest, delete)


@pytest.mark.parametrize(
    ("src", "dest", "expected"),
    [
        ("a/", "b", ["b/one", "b/two/three"]),
        ("a", "b", ["b/a/one", "b/a/two/three"]),
        ("a/one", "b/", ["b/one"]),
        ("a/one", "b", ["b"]),
        ("a/two", "b/deep/er", ["b/deep/er/two/three"]),
    ],
)
def test_slashes_mean_what_they_mean_to_rsync(src: str, dest: str, expected: list[str], tmp_path: Path) -> None:
    tree(tmp_path, {"a/one": "1", "a/two/three": "3"})
    synchronized(f"{tmp_path}/{src}", f"{tmp_path}/{dest}")
    assert [name for name in names(tmp_path) if name[0] == "b"] == expected


def test_only_what_differs_is_sent_and_modes_times_and_links_are_the_same(tmp_path: Path) -> None:
    source = tree(tmp_path / "a", {"run.sh": "echo", "old": "x"})
    (source / "run.sh").chmod(0o755)
    os.utime(source / "old", (1000, 1000))
    (source / "link").symlink_to("run.sh")
    assert synchronized(f"{source}/", f"{tmp_path}/b") == ["link", "old", "run.sh"]
    assert synchronized(f"{source}/", f"{tmp_path}/b") == []
    made = tmp_path / "b"
    assert (made / "run.sh").stat().st_mode & 0o777 == 0o755
    assert (made / "old").stat().st_mtime == 1000
    assert (made / "link").readlink() == Path("run.sh")


def test_what_the_source_has_not_goes_only_on_request_and_what_is_left_out_stays(tmp_path: Path) -> None:
    source, made = (
        tree(tmp_path / "a", {"keep": "1", "x.log": "s"}),
        tree(tmp_path / "b", {"gone/it": "2", "y.log": "3"}),
    )
    synchronized(f"{source}/", str(made), "--exclude=*.log")
    assert names(made) == ["gone/it", "keep", "y.log"]
    assert synchronized(f"{source}/", str(made), "--exclude=*.log", delete=True) == ["gone/it", "gone"]
    assert names(made) == ["keep", "y.log"]


def test_rules_are_read_in_order_as_rsync_does(tmp_path: Path) -> None:
    source = tree(tmp_path / "a", {"x/keep.txt": "", "x/drop.bin": "", "y/z/keep.txt": "", "build/keep.txt": ""})
    given = ("--include=*/", "--exclude build", "--include '*.txt'", "--exclude=*")
    synchronized(f"{source}/", f"{tmp_path}/b", *given)
    assert names(tmp_path / "b") == ["build/keep.txt", "x/keep.txt", "y/z/keep.txt"]
    synchronized(f"{source}/", f"{tmp_path}/c", "--exclude=/build/", "--exclude=y/**")
    assert names(tmp_path / "c") == ["x/drop.bin", "x/keep.txt"]


def test_a_file_that_becomes_a_directory_and_the_other_way_round(tmp_path: Path) -> None:
    source = tree(tmp_path / "a", {"one/in": "1", "two": "2"})
    made = tree(tmp_path / "b", {"one": "1", "two/in": "2"})
    synchronized(f"{source}/", str(made))
    assert names(made) == ["one/in", "two"]


def test_what_cannot_be_meant_is_refused(tmp_path: Path) -> None:
    with pytest.raises(trees.Refused, match="does not know the option --bwlimit=3 of rsync"):
        synchronized(f"{tmp_path}/", f"{tmp_path}/b", "--bwlimit=3")
    with pytest.raises(trees.Refused, match=r"nothing is not there, or is left out\."):
        synchronized(f"{tmp_path}/nothing", f"{tmp_path}/b")


def test_an_archive_of_a_hostile_node_reaches_nothing_outside(tmp_path: Path) -> None:
    made, archive = tmp_path / "b", tmp_path / "archive"
    with tarfile.open(archive, "w") as file:
        link = tarfile.TarInfo("way")
        link.type, link.linkname = tarfile.SYMTYPE, ".."
        file.addfile(link)  # names() does not follow it
        file.addfile(tarfile.TarInfo("way/out"))
    with pytest.raises(trees.Refused, match="way/out leads out of"):
        trees.unpack(str(archive), str(made), {"way", "way/out"}, [])
    with pytest.raises(trees.Refused, match="way was not asked for"):
        trees.unpack(str(archive), str(made), {"other"}, [])
    assert names(tmp_path) == ["archive"]
