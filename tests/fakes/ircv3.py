# SPDX-License-Identifier: Apache-2.0
"""A scripted IRCv3 server: what Debian's ngIRCd has not, as Ergo, Libera and bouncers have it.

Capabilities over two lines, SASL PLAIN and EXTERNAL, server-time, account-tag, msgid, echo-message, batch and
CHATHISTORY. It knows one channel, whose people are made up by the test; the bot is the only connection.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from tests.fakes.irc import free_port

OFFERS = (
    "server-time message-tags account-tag account-notify extended-join multi-prefix",
    "batch echo-message draft/chathistory=100 sasl=PLAIN,EXTERNAL cap-notify chghost",
)


@dataclass(frozen=True, slots=True)
class Said:
    """A message that the server keeps."""

    id: int
    at: datetime
    nick: str
    account: str
    text: str

    def raw(self, channel: str, batch: str = "") -> str:
        """As it goes over the wire."""
        account = f";account={self.account}" if self.account else ""
        batch = f";batch={batch}" if batch else ""
        time = f"{self.at:%Y-%m-%dT%H:%M:%S}.{self.at.microsecond // 1000:03d}Z"
        source = f"{self.nick}!u@host.example"
        return f"@time={time};msgid=m{self.id}{account}{batch} :{source} PRIVMSG {channel} :{self.text}"


class Ircv3:
    """The server; `login` is the account and secret that PLAIN takes."""

    def __init__(self, channel: str = "#gate", tls: ssl.SSLContext | None = None) -> None:
        self.port = free_port()
        self.channel = channel
        self.login = ("gatebot", "sesame")
        self.registered_only = True
        self.taken: set[str] = set()
        self.received: list[str] = []
        self.kept: list[Said] = []
        self.page = 100
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._news = asyncio.Condition()
        self._nick = "*"
        self._account = ""
        self._joined = False

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._tls)

    async def stop(self) -> None:
        """Hang up without a word, and listen no more."""
        server, self._server = self._server, None
        self.drop()
        if server is not None:
            server.close()

    def drop(self) -> None:
        """Cut the connection, as a netsplit does."""
        writer, self._writer, self._joined = self._writer, None, False
        if writer is not None:
            writer.transport.abort()

    def say(self, nick: str, *texts: str, account: str = "") -> None:
        """Somebody speaks in the channel; the bot hears it only while it is there."""
        for text in texts:
            said = Said(len(self.kept) + 1, datetime.now(UTC), nick, account, text)
            self.kept.append(said)
            if self._joined:
                self.send(said.raw(self.channel))

    def send(self, *lines: str) -> None:
        """Send raw lines to the bot."""
        for line in lines:
            if self._writer is not None:
                self._writer.write(line.encode() + b"\r\n")

    async def sees(self, part: str, after: int = 0) -> str:
        """The first line of the bot, from one on, that holds a text; waits for it."""
        async with asyncio.timeout(10), self._news:
            while True:
                for line in self.received[after:]:
                    if part in line:
                        return line
                await self._news.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer, self._nick, self._account = writer, "*", ""
        try:
            while raw := await reader.readline():
                line = raw.decode().rstrip("\r\n")
                self._obey(line, writer)
                async with self._news:
                    self.received.append(line)
                    self._news.notify_all()
        except (OSError, ConnectionError):
            return

    def _obey(self, line: str, writer: asyncio.StreamWriter) -> None:
        words = line.split(" ")
        match words:
            case ["CAP", "LS", "302"]:
                self.send(f":s CAP * LS * :{OFFERS[0]}", f":s CAP * LS :{OFFERS[1]}")
            case ["CAP", "REQ", *_]:
                self.send(f":s CAP * ACK :{line.partition(':')[2]} ")
            case ["CAP", "END"] if self._nick != "*":
                self._welcome()
            case ["AUTHENTICATE", how]:
                self._authenticate(how, writer)
            case ["NICK", nick] if nick in self.taken:
                self.send(f":s 433 {self._nick} {nick} :Nickname is already in use")
            case ["NICK", nick]:
                if self._nick != "*":
                    self.send(f":{self._nick}!b@bot.example NICK {nick}")
                self._nick = nick
            case ["JOIN", channel]:
                self._join(channel)
            case ["CHATHISTORY", "AFTER", channel, since, limit]:
                self._history(channel, since, int(limit))
            case ["PRIVMSG", channel, *_] if channel == self.channel:
                self.say(self._nick, line.partition(" :")[2], account=self._account)
            case _:
                pass

    def _welcome(self) -> None:
        nick = self._nick
        features = "CASEMAPPING=ascii CHATHISTORY={self.page} MONITOR=10 TOPICLEN=300"
        self.send(f":s 001 {nick} :Welcome", f":s 005 {nick} {features} :are supported", f":s 376 {nick} :End")

    def _authenticate(self, how: str, writer: asyncio.StreamWriter) -> None:
        if how in ("PLAIN", "EXTERNAL"):
            self.send("AUTHENTICATE +")
            return
        if how == "+":
            known = writer.get_extra_info("ssl_object")
            good = known is not None and known.getpeercert(binary_form=True) is not None
        else:
            good = tuple(base64.b64decode(how).decode().split("\0")[1:]) == self.login
        if good:
            self._account = self.login[0]
            self.send(f":s 900 {self._nick} x {self._account} :You are now logged in", f":s 903 {self._nick} :Success")
        else:
            self.send(f":s 904 {self._nick} :SASL authentication failed")

    def _join(self, channel: str) -> None:
        if self.registered_only and not self._account:
            self.send(f":s 477 {self._nick} {channel} :You need to be identified")
            return
        self._joined = channel == self.channel
        self.send(
            f":{self._nick}!b@bot.example JOIN {channel} {self._account or '*'} :bot",
            f":s 332 {self._nick} {channel} :the topic",
            f":s 353 {self._nick} = {channel} :@ann bob {self._nick}",
            f":s 366 {self._nick} {channel} :End",
        )

    def _history(self, channel: str, since: str, limit: int) -> None:
        how, _, value = since.partition("=")
        if how == "msgid":
            after = [said for said in self.kept if said.id > int(value[1:])]
        else:
            after = [said for said in self.kept if said.at > datetime.fromisoformat(value)]
        found = after[: min(limit, self.page)]
        lines = [said.raw(channel, "h1") for said in found]
        self.send(f":s BATCH +h1 chathistory {channel}", *lines, ":s BATCH -h1")
