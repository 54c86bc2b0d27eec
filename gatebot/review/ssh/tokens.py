# SPDX-License-Identifier: Apache-2.0
"""A command line as SSH carries it, split into words the way Gerrit splits it.

Pure. No shell reads these lines, and clients write some that none would take: gerritlib ends each query with a quote
that it never closes. So nothing is refused here: blanks split, quotes group, a backslash escapes, an open quote ends
with the line.
"""

from __future__ import annotations


def split(line: str) -> tuple[str, ...]:
    """The words of a line. In single quotes a backslash is itself; a closed pair of quotes is a word, even empty."""
    words: list[str] = []
    word: list[str] = []
    quote, begun, place = "", False, 0
    while place < len(line):
        letter = line[place]
        place += 1
        if letter in " \t" and not quote:
            if word or begun:
                words.append("".join(word))
            word, begun = [], False
        elif letter in "\"'" and quote in ("", letter):
            begun = begun or bool(quote)
            quote = "" if quote else letter
        elif letter == "\\" and quote != "'" and place < len(line):
            word.append(line[place])
            place += 1
        else:
            word.append(letter)
    if word or begun:
        words.append("".join(word))
    return tuple(words)
