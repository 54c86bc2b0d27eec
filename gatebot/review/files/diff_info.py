# SPDX-License-Identifier: Apache-2.0
"""Gerrit's DiffInfo: a difference of two texts in pieces that are equal, gone, come or skipped.

Pure: lines and the places where they differ in, JSON out. Equal lines that only whitespace tells
apart are told from both sides. Inside pieces of a few lines the words that differ are marked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Protocol

from ...assignment import Json

_LONGEST = 20_000  # characters of a piece in which words are compared


class Piece(Protocol):
    """Where two texts differ; line 0 is the first."""

    @property
    def old(self) -> int: ...
    @property
    def old_count(self) -> int: ...
    @property
    def new(self) -> int: ...
    @property
    def new_count(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Half:
    """One side of a difference; `path` is empty where there is no file."""

    path: str = ""
    text: bytes = b""
    mode: int = 0
    id: str = ""
    binary: bool = False
    size: int = 0


def lines_of(text: bytes) -> list[str]:
    """Lines without their ends; as in Gerrit there is an empty one behind a last line end."""
    return text.decode("utf-8", "replace").split("\n") if text else []


def content(
    old: Sequence[str], new: Sequence[str], pieces: Sequence[Piece], context: int | None, *, intraline: bool
) -> list[Json]:
    """Gerrit's list of DiffContent. `context` None: all equal lines; else so many around a piece, the rest skipped."""
    found: list[Json] = []
    at_old = at_new = 0
    ends = [(piece.old + piece.old_count, piece.new + piece.new_count) for piece in pieces]
    if pieces and len(old) - ends[-1][0] != len(new) - ends[-1][1]:
        ends[-1] = len(old), len(new)  # only one of the texts ends with a line end
    for number, piece in enumerate(pieces):
        same = piece.old - at_old
        found += _equal(old[at_old : piece.old], new[at_new : at_new + same], context, number == 0, False)
        found.append(_differs(old[piece.old : ends[number][0]], new[piece.new : ends[number][1]], intraline=intraline))
        at_old, at_new = ends[number]
    found += _equal(old[at_old:], new[at_new:], context, not pieces, True)
    return found


def _equal(old: Sequence[str], new: Sequence[str], context: int | None, first: bool, last: bool) -> list[Json]:
    if not new and not old:
        return []
    if context is None or len(new) != len(old):
        return [_same(old, new)]
    head = 0 if first else context
    tail = 0 if last else context
    if len(new) <= head + tail:
        return [_same(old, new)]
    left = len(new) - head - tail
    parts: list[Json] = [_same(old[:head], new[:head])] if head else []
    parts.append({"skip": left})
    return [*parts, *([_same(old[-tail:], new[-tail:])] if tail else [])]


def _same(old: Sequence[str], new: Sequence[str]) -> Json:
    if list(old) == list(new):
        return {"ab": list[Json](new)}
    return {"a": list[Json](old), "b": list[Json](new), "common": True}


def _differs(a: Sequence[str], b: Sequence[str], *, intraline: bool) -> Json:
    entry: dict[str, Json] = {}
    if a:
        entry["a"] = list[Json](a)
    if b:
        entry["b"] = list[Json](b)
    if intraline and a and b:
        before, after = "\n".join(a) + "\n", "\n".join(b) + "\n"
        if len(before) + len(after) <= _LONGEST:
            entry["edit_a"], entry["edit_b"] = _edits(before, after)
    return entry


def _edits(before: str, after: str) -> tuple[list[Json], list[Json]]:
    """Pairs of (characters to skip, characters that differ), counted through the whole piece with its line ends."""
    left: list[Json] = []
    right: list[Json] = []
    at_left = at_right = 0
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        if b > a:
            left.append([a - at_left, b - a])
            at_left = b
        if d > c:
            right.append([c - at_right, d - c])
            at_right = d
    return left, right


def diff_info(
    old: Half, new: Half, pieces: Sequence[Piece], context: int | None, *, renamed: str = "", intraline: bool = False
) -> dict[str, Json]:
    """Gerrit's DiffInfo; `renamed` is RENAMED or COPIED where git says so."""
    binary = old.binary or new.binary
    before, after = lines_of(old.text), lines_of(new.text)
    info: dict[str, Json] = {}
    if old.path:
        info["meta_a"] = _meta(old, before)
    if new.path:
        info["meta_b"] = _meta(new, after)
    info["change_type"] = renamed or ("ADDED" if not old.path else "DELETED" if not new.path else "MODIFIED")
    if intraline:
        info["intraline_status"] = "OK"
    info["diff_header"] = _header(old, new, renamed)
    if binary:
        info["binary"] = True
    info["content"] = [] if binary else content(before, after, pieces, context, intraline=intraline)
    return info


def _meta(half: Half, lines: Sequence[str]) -> dict[str, Json]:
    kind = "application/octet-stream" if half.binary else content_type(half.path)
    return {"name": half.path, "content_type": kind, "lines": len(lines)}


_TYPES = {
    "/COMMIT_MSG": "text/x-gerrit-commit-message", "/MERGE_LIST": "text/x-gerrit-merge-list",
    "py": "text/x-python", "md": "text/x-markdown", "rst": "text/x-rst", "json": "application/json",
    "yaml": "text/x-yaml", "yml": "text/x-yaml", "sh": "text/x-sh", "c": "text/x-csrc", "h": "text/x-csrc",
    "cc": "text/x-c++src", "cpp": "text/x-c++src", "go": "text/x-go", "rs": "text/x-rustsrc", "java": "text/x-java",
    "js": "text/javascript", "ts": "application/typescript", "css": "text/css", "html": "text/html",
    "xml": "application/xml", "toml": "text/x-toml", "sql": "text/x-sql", "txt": "text/plain",
}  # fmt: skip


def content_type(path: str) -> str:
    """The type of a text file by its name."""
    return _TYPES.get(path) or _TYPES.get(path.rpartition(".")[2].lower(), "text/plain")


def _header(old: Half, new: Half, renamed: str) -> list[Json]:
    """The lines of git that come before the difference."""
    a, b = old.path or new.path, new.path or old.path
    if b.startswith("/"):
        before = "/dev/null" if not old.path else f"a/{a}"
        return [f"diff --git {before} b/{b}", f"--- {before}", f"+++ b/{b}"]
    header: list[Json] = [f"diff --git a/{a} b/{b}"]
    if not old.path:
        header.append(f"new file mode {new.mode:06o}")
    elif not new.path:
        header.append(f"deleted file mode {old.mode:06o}")
    if renamed:
        verb = "rename" if renamed == "RENAMED" else "copy"
        header += [f"{verb} from {a}", f"{verb} to {b}"]
    mode = f" {new.mode:06o}" if old.path and new.path else ""
    header.append(f"index {old.id[:7] or '0000000'}..{new.id[:7] or '0000000'}{mode}")
    header += [f"--- {'a/' + a if old.path else '/dev/null'}", f"+++ {'b/' + b if new.path else '/dev/null'}"]
    return header
