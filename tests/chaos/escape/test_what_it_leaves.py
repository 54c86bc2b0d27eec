# SPDX-License-Identifier: Apache-2.0
"""Attacks on the server by what a job leaves: its artifacts, the data it returns, and what hinders their taking."""

from __future__ import annotations

import io
import tarfile
import time
from pathlib import Path

import pytest

from gatebot.executor.artifacts import collect
from gatebot.executor.model import MIB
from gatebot.executor.providers.trees import unpacked
from gatebot.executor.returned import read
from tests.chaos.escape.forts import Fort, attack

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_links_devices_and_odd_names_among_artifacts_lead_nowhere(attacked: Fort, tmp_path: Path) -> None:
    said: list[str] = []
    async with attacked.node() as node:
        await attack(
            node,
            """
os.makedirs('artifacts/deep'); os.chdir('artifacts')
for name, target in (('link', '/etc/passwd'), ('up', '../../../../etc/passwd'), ('tree', '/etc'), ('loop', 'loop')):
    os.symlink(target, name)
os.mkfifo('pipe')
socket.socket(socket.AF_UNIX).bind('socket')
for name in (b'plain', b'deep/two words', 'é 노드'.encode(), b'<img src=x onerror=alert(1)>', b'-rf', b'.hidden',
             b'half \\xff', b'line\\nbreak', b'\\x1b[31mred', '\\u202etxt.exe'.encode()):
    open(name, 'wb').write(b'content')
os.symlink('/etc/passwd', '../result.json')
print('left: all')
""",
        )
        returned = await collect(node.connection, node.provider.places(node.name), tmp_path, 10 * MIB, said.append)
    kept = {str(path.relative_to(tmp_path / "artifacts")) for path in tmp_path.rglob("*") if not path.is_dir()}
    assert kept == {"plain", "deep/two words", "é 노드", "<img src=x onerror=alert(1)>", "-rf", ".hidden"}
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))
    assert returned.data == {}
    left_out = "link (a link), loop (a link), pipe, tree (a link), up (a link)"
    assert said == [
        "gatebot: 4 artifacts are dropped: their names cannot be shown, or there are more than 20000.",
        f"gatebot: left out of the artifacts, because only plain files are kept: {left_out}",
    ]


async def test_a_huge_sparse_artifact_ends_the_taking_at_the_limit(attacked: Fort, tmp_path: Path) -> None:
    """A terabyte of nothing costs the job nothing; to read it would take the server the whole day."""
    said: list[str] = []
    async with attacked.node() as node:
        found = await attack(
            node,
            """
os.mkdir('artifacts'); open('artifacts/a', 'w').write('kept')
attempt('huge', lambda: os.truncate(os.open('artifacts/huge', os.O_CREAT | os.O_WRONLY), size))
""",
            size=7 << 30 if attacked.kind == "container" else 1 << 40,  # busybox packs nothing larger
        )
        assert found == {"huge": "None"}
        begun = time.monotonic()
        await collect(node.connection, node.provider.places(node.name), tmp_path, 4 * MIB, said.append)
        assert time.monotonic() - begun < 5
    assert said == ["gatebot: the artifacts exceed 4 MiB (logs.max_artifacts); the rest is dropped."]
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) <= 4 * MIB


async def test_a_daemon_that_stops_the_packing_does_not_keep_the_build_for_ever(attacked: Fort, tmp_path: Path) -> None:
    said: list[str] = []
    async with attacked.node() as node:
        await node.ran(
            "mkdir artifacts; head -c 3000000 /dev/zero > artifacts/a\n"
            "(while :; do for p in /proc/[0-9]*; do\n"
            "  grep -qa -e ignore-failed-read -e '^tar.-cf' $p/cmdline && kill -STOP ${p#/proc/}\n"
            "done; done) > /dev/null 2>&1 &"
        )
        places = node.provider.places(node.name)
        returned = await collect(node.connection, places, tmp_path, 10 * MIB, said.append, 1.0)
    assert returned.data == {}
    assert said[:1] in ([], ["gatebot: the artifacts could not be had in 1 seconds; the rest is dropped."])


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000, b'{"a":' * 500 + b"1" + b"}" * 500, b'{"zuul": {"artifacts": [{"name": "\\ud800"}]}}',
        b'{"a": "\\u0000"}', b'{"a": 1e999}', b'{"a": NaN}', b"\xff\xfe", b'"text"', b"[1]", b"1" * 10_000,
        b'{"zuul": {"artifacts": 7, "child_jobs": {"a": 1}, "retry": [], "pause": "yes"}}',
    ],
)  # fmt: skip
async def test_returned_data_that_would_break_a_reader_says_nothing(content: bytes) -> None:
    found = read(content, content)
    assert found.artifacts == ()
    assert found.child_jobs is None
    assert found.retry
    assert not found.pause


def entry(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.size, made.linkname = kind, size, target
    return made


async def test_a_tar_stream_of_a_hostile_node_makes_plain_files_below_its_target_and_nothing_else(
    tmp_path: Path,
) -> None:
    """A node whose image is the job's has the job's own `tar`: the stream may be anything."""
    outside = tmp_path / "outside"
    outside.write_text("the machine's")
    stream, target = io.BytesIO(), tmp_path / "target"
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name in ("../outside", str(outside), "a/../../outside", "./../outside", "ok"):
            archive.addfile(entry(name, size=3), io.BytesIO(b"bad"))
        archive.addfile(entry("link", tarfile.SYMTYPE, target=str(tmp_path)))
        archive.addfile(entry("link/outside", size=3), io.BytesIO(b"bad"))
        archive.addfile(entry("hard", tarfile.LNKTYPE, target=str(outside)))
        archive.addfile(entry("hard", size=3), io.BytesIO(b"bad"))
        for name, kind in (("disk", tarfile.BLKTYPE), ("memory", tarfile.CHRTYPE), ("pipe", tarfile.FIFOTYPE)):
            archive.addfile(entry(name, kind))
    stream.seek(0)
    unpacked(stream, target, MIB)
    assert outside.read_text() == "the machine's"
    assert {str(path.relative_to(target)) for path in target.rglob("*")} == {"ok", "link", "link/outside", "hard"}
    assert all(path.is_dir() or path.is_file() for path in target.rglob("*"))
    assert not any(path.is_symlink() for path in target.rglob("*"))
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(entry("huge", tarfile.GNUTYPE_SPARSE, size=1 << 50))
    stream.seek(0)
    assert not unpacked(stream, tmp_path / "sparse", MIB)
    assert not (tmp_path / "sparse/huge").exists()
