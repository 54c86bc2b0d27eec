# SPDX-License-Identifier: Apache-2.0
"""The colours of source text, by Pygments: each line in pieces with the few classes that the sheet knows.

Reading source is the dearest part of a page, so it stops at the last line that is shown and never goes past
a limit; what was read is kept, because a blob never changes. Only languages that many people write are
read: a strange file must not find a strange reader that never ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from pygments.lexer import Lexer
from pygments.lexers import find_lexer_class_by_name
from pygments.token import Comment, Keyword, Literal, Name, Number, String, Token

from .drawing import LONGEST

Spans = tuple[tuple[str, str], ...]
MOST_LINES, MOST_CHARACTERS = 600, 60_000  # a tenth of a second
_STEP = 300  # lines that are read beyond what was asked, so that the next question is answered

# Who asks Pygments by the name of a file lets it load most of its readers, and is told that Perl is Prolog.
_LANGUAGES = """
    bash: sh bash zsh .bashrc   c: c h   c++: cc cpp cxx hh hpp   clojure: clj   cmake: cmake CMakeLists.txt
    csharp: cs   css: css   dart: dart   diff: diff patch   docker: dockerfile Dockerfile Containerfile
    elixir: ex exs   elisp: el   erlang: erl   fish: fish   go: go   groovy: gradle groovy Jenkinsfile
    haskell: hs   html: html   ini: ini cfg conf   java: java   javascript: js mjs   json: json   jsx: jsx
    julia: jl   kotlin: kt   lua: lua   make: mk Makefile   markdown: md   nix: nix   perl: pl pm   php: php
    po: po   protobuf: proto   python: py pyi   rst: rst   ruby: rb   rust: rs   scala: scala   scss: scss
    splus: r   sql: sql   swift: swift   systemd: service   terraform: tf   tex: tex   toml: toml   tsx: tsx
    typescript: ts   vim: vim   xml: xml svg   yaml: yaml yml j2
"""
READERS = {
    name: reader for reader, names in re.findall(r"(\S+): (.+?)(?=   |\n)", _LANGUAGES) for name in names.split()
}
_OFTEN = ("python", "yaml", "bash")

_CLASSES: Mapping[object, str] = {
    Comment: "c", Keyword: "k", Keyword.Type: "t", String: "s", Number: "m", Literal: "m", String.Doc: "c",
    Name.Builtin: "t", Name.Class: "t", Name.Exception: "t", Name.Function: "f", Name.Decorator: "f", Name.Tag: "k",
    Name.Attribute: "f", Name.Label: "f", Token.Generic.Heading: "k", Token.Generic.Subheading: "k",
}  # fmt: skip


def coloured(path: str, blob: str, lines: Sequence[str], until: int) -> Sequence[Spans]:
    """The pieces of the lines up to number `until`; fewer where reading stopped earlier, none for plain text."""
    wanted = min(until, len(lines), MOST_LINES)
    reader = reader_of(path)
    if not blob or not wanted or not reader:
        return ()
    rounded = min(-(-wanted // _STEP) * _STEP, MOST_LINES, len(lines))
    if max(map(len, lines[:rounded])) > LONGEST:
        return ()
    # Pygments takes these for line ends, or away; only the lengths of the pieces count.
    text = "\n".join(lines[:rounded])[:MOST_CHARACTERS].replace("\r", " ").replace("\ufeff", " ")
    return _read(reader, blob, _Text(text))


def reader_of(path: str) -> str:
    """Pygments' name for the language of a file; empty: nobody reads it."""
    name = path.rpartition("/")[2]
    return READERS.get(name) or READERS.get(name.rpartition(".")[2].lower(), "")


def prepare() -> None:
    """Make the readers of what is read most, which takes longer than reading with them."""
    for reader in _OFTEN:
        _lexer(reader)


class _Text(str):
    """A text that is the same as any other where answers are kept: the blob beside it says which it is."""

    __slots__ = ()

    def __hash__(self) -> int:
        return len(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Text) and len(self) == len(other)


@lru_cache(maxsize=256)
def _read(reader: str, blob: str, text: _Text) -> tuple[Spans, ...]:
    del blob
    return tuple(_lines(_lexer(reader), str(text)))


def _lexer(reader: str) -> Lexer:
    return find_lexer_class_by_name(reader)(stripnl=False, ensurenl=False)


def _lines(lexer: Lexer, text: str) -> Iterator[Spans]:
    line: list[tuple[str, str]] = []
    for kind, value in lexer.get_tokens(text):
        name = class_of(kind)
        for number, piece in enumerate(value.split("\n")):
            if number:
                yield tuple(line)
                line = []
            if not piece:
                continue
            if line and line[-1][1] == name:
                line[-1] = (line[-1][0] + piece, name)
            else:
                line.append((piece, name))
    yield tuple(line)


@lru_cache(maxsize=512)
def class_of(kind: object) -> str:
    """The class of a kind of token: its own, or that of what it is a kind of."""
    while kind is not None:
        if kind in _CLASSES:
            return _CLASSES[kind]
        kind = getattr(kind, "parent", None)
    return ""
