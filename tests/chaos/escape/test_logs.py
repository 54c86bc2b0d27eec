# SPDX-License-Identifier: Apache-2.0
"""Attacks by what a job prints: floods, and secrets in all the ways in which programs print them."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from gatebot.assignment import SecretRef
from gatebot.executor.model import MIB, Sizes
from tests.fakes.executor import PROJECT, job, script
from tests.fakes.workshop import workshop

TOKEN = "s3cret/+value~with?odd&letters"
TELL = """#!/usr/bin/python3
import base64, json, os, sys, time, urllib.parse
token = json.loads(os.environ["GATEBOT_SECRETS"])["login"]["token"]
def say(text, end="\\n"):
    sys.stdout.write(text + end); sys.stdout.flush()
say(token)
for letter in token: say(letter, "")
say("")
say("in two", ""); say(token[:9], ""); time.sleep(0.1); say(token[9:])
say("x" * 65520 + token + "x" * 70000)
say("progress " + token + "\\rdone")
for before in ("", "a", "ab", "abc"):
    say(base64.b64encode((before + token).encode()).decode())
    say(base64.urlsafe_b64encode((before + token).encode()).decode())
say(token.encode().hex()); say(token.encode().hex().upper()); say(token[::-1])
say(urllib.parse.quote(token)); say(urllib.parse.quote(token, safe="").lower()); say(json.dumps({"a": token}))
print(token, file=sys.stderr, end="")
"""


async def test_a_flood_is_capped_and_said_and_the_build_ends_as_it_would(tmp_path: Path) -> None:
    async with workshop(tmp_path, sizes=Sizes(log=MIB)) as shop:
        completed, _ = await shop.script(
            "yes | head -c 20000000; head -c 30000000 /dev/zero | tr '\\0' x; yes '' | head -c 200000; exit 0"
        )
        size = shop.logs.size(completed.build)
        last = shop.logs.lines(completed.build, shop.logs.line_count(completed.build) - 1, 2)
    assert completed.result == "SUCCESS"
    assert size is not None
    assert size < 4 * MIB, "one more piece of what came at once, and not what came after"
    assert [line.partition(" | ")[2] for line in last] == [
        "gatebot: the log reached 1 MiB (logs.max_log); what the job prints from here on is dropped.",
        "result: SUCCESS",
    ]


async def test_no_spelling_of_a_secret_gets_into_the_log(tmp_path: Path) -> None:
    book = replace(script(), secrets=(SecretRef("login", "upload", PROJECT),))
    async with workshop(tmp_path) as shop:
        given = shop.assignment({"run.sh": TELL}, job(book), secrets={"upload": {"token": TOKEN}})
        completed = await shop.run(given)
        log = shop.logs.read(given.build, 0, 1 << 20).decode()
    assert completed.result == "SUCCESS", log
    raw = TOKEN.encode()
    spelled = [TOKEN, TOKEN[::-1], raw.hex(), raw.hex().upper(), quote(TOKEN), quote(TOKEN, safe="").lower()]
    for before in range(4):
        inner = base64.b64encode(b"a" * before + raw)
        spelled += [inner[8:-8].decode(), base64.urlsafe_b64encode(b"a" * before + raw)[8:-8].decode()]
    assert [one for one in spelled if one in log] == []
    assert log.count("*****") >= 18
