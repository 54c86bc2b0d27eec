# SPDX-License-Identifier: Apache-2.0
"""Runs on a node: a command, or a shell, in a terminal of its own, for somebody who is elsewhere.

What is typed comes in frames on standard input: a letter, the length in four bytes, the content. `d` is what was typed,
`w` the size of the window, `ROWS COLUMNS`. What the terminal shows goes to standard output as it is. The status is the
command's.
"""

import fcntl
import os
import pty
import select
import struct
import sys
import termios

PIECE = 65536


def resize(master: int, content: bytes) -> None:
    rows, columns = (min(int(number), 9999) for number in content.split())
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def taken(master: int, came: bytearray, typed: bytearray) -> None:
    """Take whole frames from what came."""
    while len(came) >= 5:
        end = 5 + int.from_bytes(came[1:5], "big")
        if len(came) < end:
            return
        kind, content = came[:1], bytes(came[5:end])
        del came[:end]
        if kind == b"w":
            resize(master, content)
        else:
            typed += content


def serve(master: int) -> None:
    came, typed, listening = bytearray(), bytearray(), [0, master]
    os.set_blocking(master, False)
    while True:
        readable, writable, _ = select.select(listening, [master] if typed else [], [])
        if 0 in readable:
            piece = os.read(0, PIECE)
            if not piece:  # whoever typed is gone: what runs here is told as by a terminal that is closed
                return
            came += piece
            taken(master, came, typed)
        if master in writable:
            del typed[: os.write(master, typed[:PIECE])]
        if master in readable:
            try:
                shown = os.read(master, PIECE)
            except OSError:
                shown = b""
            if not shown:
                return
            while shown:
                shown = shown[os.write(1, shown) :]


def main() -> int:
    """`terminal.py ROWS COLUMNS [COMMAND ...]`; without a command the best shell there is."""
    size, argv = f"{sys.argv[1]} {sys.argv[2]}".encode(), sys.argv[3:]
    process, master = pty.fork()
    if process == 0:
        argv = argv or (["/bin/bash", "-i"] if os.path.exists("/bin/bash") else ["/bin/sh", "-i"])
        try:
            os.execvp(argv[0], argv)  # noqa: S606
        except OSError as problem:
            os.write(2, f"{argv[0]}: {problem.strerror}\r\n".encode())
        os._exit(127)
    resize(master, size)
    serve(master)
    os.close(master)
    _, status = os.waitpid(process, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


sys.exit(main())
