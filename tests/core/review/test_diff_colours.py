# SPDX-License-Identifier: Apache-2.0
"""Which language a file is read in, and the pieces that its lines come in."""

from __future__ import annotations

import pytest
from pygments.lexers import find_lexer_class_by_name

from gatebot.review.diffs import colours


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("lib/a.py", "Python"), ("bin/a.pl", "Perl"), ("lib/A.pm", "Perl"), ("stats/fit.R", "S"), ("init.sql", "SQL"),
        ("Makefile", "Makefile"), ("deep/Dockerfile", "Docker"), ("Containerfile", "Docker"), ("tox.ini", "INI"),
        ("nova.conf", "INI"), ("play.yaml.j2", "YAML"), (".bashrc", "Bash"), ("CMakeLists.txt", "CMake"),
    ],
)  # fmt: skip
def test_a_file_is_read_in_the_language_that_its_name_says(path: str, language: str) -> None:
    assert find_lexer_class_by_name(colours.reader_of(path)).name == language


def test_every_language_that_is_named_has_a_reader() -> None:
    for reader in set(colours.READERS.values()):
        assert find_lexer_class_by_name(reader), reader


@pytest.mark.parametrize("path", ["readme", "a.txt", "go.mod", "a.unheard-of"])
def test_a_file_of_no_known_language_has_no_colours(path: str) -> None:
    assert colours.coloured(path, "blob", ["def a(): pass"], 1) == ()


def test_a_line_comes_in_pieces_by_their_classes() -> None:
    (line, *_) = colours.coloured("a.py", "b1", ["def a():  # so"], 1)
    assert line == (("def", "k"), (" ", ""), ("a", "f"), ("():  ", ""), ("# so", "c"))
