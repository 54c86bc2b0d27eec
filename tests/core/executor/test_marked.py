# SPDX-License-Identifier: Apache-2.0
"""Two streams in one are taken apart wherever the pieces are cut."""

from __future__ import annotations

import subprocess

from hypothesis import given
from hypothesis import strategies as st

from gatebot.executor.marked import BEGIN, SCRIPT, Marked

MARK = b"aab"
texts = st.binary(max_size=40).filter(lambda text: MARK not in text)


@given(st.text("ab", max_size=12).map(str.encode).filter(lambda text: MARK not in text + b"aa"), texts, st.data())
def test_what_came_before_the_mark_is_output_and_what_came_after_is_not(
    output: bytes, said: bytes, data: st.DataObject
) -> None:
    whole = output + MARK + said
    marked, got, heard = Marked(MARK), b"", b""
    while whole:
        size = data.draw(st.integers(1, len(whole)))
        out, err = marked.feed(whole[:size])
        got, heard, whole = got + out, heard + err, whole[size:]
    assert (got + marked.end(), heard, marked.past) == (output, said, True)


@given(st.lists(st.text("ab", max_size=3).map(str.encode)).filter(lambda pieces: MARK not in b"".join(pieces)))
def test_a_stream_that_ends_without_a_mark_is_all_output(pieces: list[bytes]) -> None:
    marked = Marked(MARK)
    got = b"".join(marked.feed(piece)[0] for piece in pieces)
    assert (got + marked.end(), marked.past) == (b"".join(pieces), False)


@given(st.text("0123456789abcdef", min_size=32, max_size=32).map(str.encode))
def test_a_protocol_that_stops_to_wait_for_an_answer_is_not_held_back(random: bytes) -> None:
    for said in (b"0000", b"00000009 done\n0000", b"password: ", random[:4]):
        assert Marked(BEGIN + random).feed(said) == (said, b"")


def test_the_script_keeps_the_streams_and_the_status_of_its_command_apart(tmp_path: object) -> None:
    line = ["sh", "-c", SCRIPT, "sh", "MARK", "echo out; echo err >&2; read word; echo $word; exit 7"]
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(line, input=b"in\n", capture_output=True, env=env, check=False)
    assert (done.stdout, done.stderr, done.returncode) == (b"out\nin\nMARKerr\n", b"", 7)
