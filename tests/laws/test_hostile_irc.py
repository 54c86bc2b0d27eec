# SPDX-License-Identifier: Apache-2.0
"""Everything that a server, and strangers through it, may send: no crash, no injection, no valid line lost.

A hundred thousand raw lines by `make test-fuzz`, some thousands here: bytes that are no UTF-8, CR and NUL inside
lines, eight kilobytes, colours, tags without end, numerics with nothing after them. Between them somebody speaks.
"""

from __future__ import annotations

import os
import random
import re
from datetime import UTC, datetime

from gatebot.meetbot.irc import session, wire
from gatebot.meetbot.irc.messages import parse
from gatebot.meetbot.irc.model import Network
from gatebot.meetbot.irc.session import Effect, Ends, Hears, Sends
from gatebot.meetbot.irc.wire import Lines

LINES = int(os.environ.get("GATEBOT_INPUTS", "5000"))
NOON = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
COMMANDS = (
    "PRIVMSG", "NOTICE", "JOIN", "PART", "QUIT", "NICK", "KICK", "MODE", "TOPIC", "CAP", "AUTHENTICATE", "BATCH",
    "FAIL", "INVITE", "CHGHOST", "ACCOUNT", "TAGMSG", "PING", "001", "005", "303", "331", "332", "353", "366", "376",
    "396", "433", "437", "470", "477", "731", "900", "901", "903", "904", "908", "999",
)  # fmt: skip
WORDS = (
    "#c", "#C", "#other", "bot", "ann", "*", "LS", "ACK", "NEW", "DEL", "NAK", "+", "-", "+b1", "-b1", "chathistory",
    "sasl", "sasl=PLAIN", "server-time", "draft/chathistory", "CASEMAPPING=ascii", "TOPICLEN=9999999999999",
    "CHANTYPES=", "@ann +bob", "\x01ACTION waves\x01", "\x01VERSION\x01", "\x0304,99red\x0f", "\x02b", "회의",
    "👩‍👩‍👧", "e\u0301", "[nolog]", ":", "", " ", "=", "@time=;msgid=\\", "ann!u@h", "#startmeeting x", "#endmeeting",
    "NickServ", "\u202e",
)  # fmt: skip
ALLOWED = ("PONG ", "JOIN ", "PART ", "CAP ", "NICK ", "AUTHENTICATE ", "CHATHISTORY ", "MONITOR ", "ISON ", "PING ")


_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def hostile(dice: random.Random) -> bytes:
    """One line that nobody should send."""
    match dice.randrange(8):
        case 0:
            return dice.randbytes(dice.randrange(300)).replace(b"\n", b"")
        case 1:
            return b":ann!u@h PRIVMSG #c :" + dice.choice((b"x", b"\xed\x9a", b"\x00")) * dice.randrange(9000)
        case 2:
            return b":ann!u@h PRIVMSG #c :hi\rQUIT :x\r\0JOIN #evil"
        case 3:
            return b"@" + b";".join(b"t%d=\\\\" % n for n in range(dice.randrange(2000))) + b" :a!b@c NOTICE #c :x"
        case 4:
            return b":ann!u@h PRIVMSG #c :" + "회의 인스턴스".encode("cp949")
        case _:
            source = dice.choice((":ann!u@h ", ":bot!u@h ", ":s ", ":NickServ!s@s ", "", "@batch=b1;time=x :ann!u@h "))
            words = [dice.choice(WORDS) for _ in range(dice.randrange(6))]
            return f"{source}{dice.choice(COMMANDS)} {' '.join(words)}".encode()


def test_no_line_stops_it_commands_it_or_hides_what_is_said() -> None:
    dice = random.Random(7)
    network = Network("h", channels=("#c",), nick="bot", account="bot", secret="s")
    state, effects = session.start(network, {}, NOON)
    lines, said, heard = Lines(), list[str](), list[str]()

    def take(raw: bytes, expected: str = "") -> None:
        nonlocal state
        found: list[Effect] = []
        stream = raw + b"\r\n"
        cut = dice.randrange(len(stream))
        for line in (*lines.feed(stream[:cut]), *lines.feed(stream[cut:])):
            message = parse(line)
            if message is not None:
                state, more = session.receive(state, message, NOON)
                found += more
        for effect in found:
            match effect:
                case Sends(line):
                    assert wire.is_clean(line)
                    assert line.startswith((*ALLOWED, "PRIVMSG NickServ :REGAIN bot", "PRIVMSG NickServ :GHOST bot")), (
                        line
                    )
                case Hears(channel, line):
                    assert _CONTROL.search(line.text) is None, line
                    if expected and line.nick == "zoe":
                        heard.append(line.text)
                        assert channel.lower() == "#c"
                case Ends():
                    assert raw.lstrip().startswith((b"ERROR", b":", b"@"))

    def enter() -> None:
        for line in (
            ":s CAP * DEL :draft/chathistory chathistory",
            f":{state.scene.nick}!u@h JOIN #c",
            ":s 005 bot CHANTYPES=# :x",
        ):
            take(line.encode())

    for number in range(LINES):
        take(hostile(dice))
        if number % 10 == 0:
            if state.scene.roster.get("#c") is None or state.history.fillings:
                state = session.tick(state, NOON + session.SILENCE / 2)[0]
                enter()
            text = f"valid {number} 회의 ✓"
            said.append(text)
            take(f"@msgid=v{number} :zoe!z@h PRIVMSG #c :{text}".encode(), text)
    assert heard == said
    assert effects[0] == Sends("CAP LS 302")
