# SPDX-License-Identifier: Apache-2.0
"""How a command is told to a shell that is elsewhere, and how its end is seen in what comes back.

Pure. A channel to a node carries bytes both ways and nothing else. The shell reads one line, which is the command: so
nothing of it, its environment's secrets above all, stands in a list of processes. What the command leaves running holds
the channel open, so its end is a mark in its output that nobody can guess; whose it is is a mark in its environment.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping

from .model import Command
from .ports import Output

#: Started on the node: reads what to do from its input, and leaves the rest of that to the command.
BOOT = ("env", "-i", "PATH=/usr/local/bin:/usr/bin:/bin", "sh", "-c", 'IFS= read -r s && eval "$s"')
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FRAME = b"\036"
NODE_MARK, RUN_MARK = "GATEBOT_NODE", "GATEBOT_RUN"

# Signals everything on a node ($1 empty) or what carries the mark $1, until nothing more is found; $2 is the signal.
# What runs this is spared, with what started it and what reads its answer: its ancestors, and its session.
_SIGNAL = r"""
spared=" 1 "; p=$$; own=
while [ "$p" -gt 1 ]; do
  read -r stat < "/proc/$p/stat" || break
  set -- "$1" "$2" ${stat##*) }; own=${own:-$6}; spared="$spared$p "; p=$4
done
found() {
  if [ -n "$1" ]; then grep -lszF -e "$1" /proc/[0-9]*/environ; return; fi
  for d in /proc/[0-9]*; do
    case "$spared" in *" ${d#/proc/} "*) continue;; esac
    [ -O "$d" ] || continue
    read -r stat < "$d/stat" || continue
    set -- ${stat##*) }
    [ "$1" = Z ] || [ "$4" = "$own" ] || echo "$d/environ"
  done 2>/dev/null
}
tries=0
while [ "$tries" -lt 100 ]; do
  some=
  for f in $(found "$1"); do
    p=${f#/proc/}; p=${p%/environ}
    kill -s "$2" "$p" 2>/dev/null && some=1
  done
  [ -n "$some" ] && [ "$2" = KILL ] || exit 0
  tries=$((tries + 1))
done
exit 1
"""


def mark(name: str, value: str) -> str:
    """A mark of processes, as it stands in their environment; no other one begins with it."""
    return f"{name}={value}."


def signalling(marked: str, signal: str) -> Command:
    """The command that signals all processes with a mark, or without one all there are."""
    return Command(("sh", "-c", _SIGNAL, "sh", marked, signal), {"PATH": "/usr/local/bin:/usr/bin:/bin"}, "/")


def quoted(text: str) -> str:
    """A text as one word of a shell's line that has no line breaks; `$n` is one there."""
    return "'" + text.replace("'", "'\\''").replace("\n", "'\"$n\"'") + "'"


def line(command: Command, token: str, marks: Mapping[str, str]) -> bytes:
    """What the shell on the node reads. Files of the command are there for it alone, and gone with it."""
    variables = {**command.env, **{name: f"{value}." for name, value in marks.items()}}
    exports = " ".join(f"{name}={quoted(value)}" for name, value in variables.items() if _NAME.fullmatch(name))
    words = " ".join(map(quoted, command.argv))
    parts = [rf"printf '\036{token} begun\036'"]
    for path, content in command.files.items():
        place = quoted(path)
        parts.append(f"(umask 077; mkdir -p {quoted(path.rpartition('/')[0])}; printf %s {quoted(content)} > {place})")
    run = f"umask 022; cd {quoted(command.cwd)} || exit 126; {f'export {exports}; ' if exports else ''}exec {words}"
    parts += [f"( {run} )", "s=$?"]
    parts += [f"rm -f {quoted(path)}" for path in command.files]
    parts.append(rf"printf '\036{token} %s\036' $s")
    # What reads there stays for as long as anything may print, so that no channel closes on what is left running.
    text = rf"n=$(printf '\nx'); n=${{n%x}}; {{ {'; '.join(parts)}; }} 2>&1 | cat"
    return text.encode("utf-8", "surrogateescape") + b"\n"


class Splitter:
    """What comes back, without the frames that tell when the command has `begun` and with which status it `ended`."""

    def __init__(self, token: str, output: Output, begun: Callable[[], None], ended: Callable[[int], None]) -> None:
        self._begin = _FRAME + token.encode() + b" "
        self._output = output
        self._begun = begun
        self._ended = ended
        self._held = b""
        self._over = False

    def take(self, piece: bytes) -> Awaitable[None] | None:
        """The next piece; hands on all of it that cannot be a frame, and what there is to wait for."""
        rest = self._held + piece
        self._held = b""
        while not self._over and (at := rest.find(self._begin)) >= 0:
            end = rest.find(_FRAME, at + len(self._begin))
            if end < 0:
                self._held = rest[at:]
                return self._print(rest[:at])
            self._print(rest[:at])
            self._tell(rest[at + len(self._begin) : end])
            rest = rest[end + 1 :]
        at = -1 if self._over else rest.rfind(_FRAME, max(len(rest) - len(self._begin) + 1, 0))
        if at >= 0 and self._begin.startswith(rest[at:]):
            rest, self._held = rest[:at], rest[at:]
        return self._print(rest)

    def _print(self, piece: bytes) -> Awaitable[None] | None:
        return self._output(piece) if piece else None

    def _tell(self, told: bytes) -> None:
        if told == b"begun":
            self._begun()
        elif told.isdigit():
            self._over = True
            self._ended(int(told))
