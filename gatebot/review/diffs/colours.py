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
from pygments.lexers import find_lexer_class_for_filename
from pygments.token import Comment, Keyword, Literal, Name, Number, String, Token

from .drawing import LONGEST

Spans = tuple[tuple[str, str], ...]
MOST_LINES, MOST_CHARACTERS = 600, 60_000  # a tenth of a second
_STEP = 300  # lines that are read beyond what was asked, so that the next question is answered

_READ = re.compile(
    r"c|h|cc|cpp|cxx|hh|hpp|cs|go|rs|java|kt|scala|swift|m?js|jsx|tsx?|s?css|html|xml|svg|pyi?|rb|pl|pm|php|lua|sh|bash"
    r"|zsh|fish|sql|json|ya?ml|toml|ini|cfg|conf|md|rst|tex|diff|patch|proto|cmake|mk|dockerfile|tf|nix|vim|el|hs|exs?"
    r"|erl|clj|dart|r|jl|gradle|groovy|service|po|j2"
)
_NAMED = {"Dockerfile", "Containerfile", "Makefile", "CMakeLists.txt", "Jenkinsfile", ".bashrc", "go.mod"}

_CLASSES: Mapping[object, str] = {
    Comment: "c", Keyword: "k", Keyword.Type: "t", String: "s", Number: "m", Literal: "m", String.Doc: "c",
    Name.Builtin: "t", Name.Class: "t", Name.Exception: "t", Name.Function: "f", Name.Decorator: "f", Name.Tag: "k",
    Name.Attribute: "f", Name.Label: "f", Token.Generic.Heading: "k", Token.Generic.Subheading: "k",
}  # fmt: skip


def coloured(path: str, blob: str, lines: Sequence[str], until: int) -> Sequence[Spans]:
    """The pieces of the lines up to number `until`; fewer where reading stopped earlier, none for plain text."""
    wanted = min(until, len(lines), MOST_LINES)
    name = path.rpartition("/")[2]
    if not blob or not wanted or not (name in _NAMED or _READ.fullmatch(name.rpartition(".")[2].lower())):
        return ()
    rounded = min(-(-wanted // _STEP) * _STEP, MOST_LINES, len(lines))
    if max(map(len, lines[:rounded])) > LONGEST:
        return ()
    # Pygments takes these for line ends, or away; only the lengths of the pieces count.
    text = "\n".join(lines[:rounded])[:MOST_CHARACTERS].replace("\r", " ").replace("\ufeff", " ")
    return _read(name, blob, _Text(text))


class _Text(str):
    """A text that is the same as any other where answers are kept: the blob beside it says which it is."""

    __slots__ = ()

    def __hash__(self) -> int:
        return len(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Text) and len(self) == len(other)


@lru_cache(maxsize=256)
def _read(name: str, blob: str, text: _Text) -> tuple[Spans, ...]:
    del blob
    found = find_lexer_class_for_filename(name)
    if found is None:
        return ()
    return tuple(_lines(found(stripnl=False, ensurenl=False), str(text)))


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
