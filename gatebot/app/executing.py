# SPDX-License-Identifier: Apache-2.0
"""`gatebot serve DIR --role executor --connect URL`: runs builds for a site on another machine.

It connects outwards and has no database. The directory holds what it must keep: its key and its token, with which it is
known after it came once; a `gatebot.toml` is read when there is one, for labels, slots and the sandbox of this machine.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from .. import __version__
from .. import settings as settings_text
from ..clock import SystemClock
from ..errors import NotFound, Refused, Unauthenticated, Unavailable
from ..executor import assembly, providing
from ..executor.fleet.model import Beat, Session, Written
from ..executor.labels import label_from
from ..executor.logs import Logs
from ..executor.model import Label, Sizes
from ..executor.providers import link
from ..executor.remote.agent import Agent
from ..executor.remote.line import Line
from ..executor.remote.reports import FarReports
from ..executor.remote.server import Server, words_of
from ..executor.remote.uplink import Uplink
from ..executor.service import Executor
from ..keys import boxes
from ..reasons import Reason, reason
from ..settings import Settings
from . import places as site_places
from .executors import abilities_of
from .footing import check_reach, sole_server
from .places import Places
from .serving import begin_to_log, prepare_executor
from .users import User, give, server_user

log = logging.getLogger("gatebot")
_NEAR = ("127.0.0.1", "::1", "localhost")
_AGAIN = 2.0


@dataclass(frozen=True, slots=True)
class Known:
    """As what the site knows this executor: kept in a file that nobody else may read."""

    url: str
    name: str
    token: str
    key: bytes


def execute(directory: Path, url: str) -> int:
    """Run builds until SIGTERM or SIGINT; the exit code."""
    check_address(url)
    directory.mkdir(parents=True, exist_ok=True)
    found, places = _settings(directory)
    begin_to_log()
    user = server_user(found.executor.run_as)
    check_reach(user, places.data)
    with sole_server(places.data, user):
        prepared = prepare_executor(found, places, user)
        if user is not None:
            give(places.data / "logs", user)
            _own(places.data, user)
            link.drop(user.uid, user.gid)
        return asyncio.run(_run(found, places, prepared, url))


def check_address(url: str) -> None:
    """Raises `Refused` for an address that tokens and repositories must not travel to."""
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and (parts.hostname or "") in _NEAR):
        return
    raise Refused(reason=reason("executor.address-in-the-open", url=url))


def _settings(directory: Path) -> tuple[Settings, Places]:
    try:
        return site_places.load(directory)
    except NotFound:
        found = Settings(where=str((directory / site_places.SETTINGS).resolve()))
        return found, site_places.places_of(found)


def _own(data: Path, user: User) -> None:
    """What the executor keeps is written by the user that it becomes."""
    for path in (data, data / "executor.json"):
        if path.exists():
            os.chown(path, user.uid, user.gid)


async def _run(found: Settings, places: Places, prepared: assembly.Prepared, url: str) -> int:
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopping.set)
    working = asyncio.create_task(_work(found, places, prepared, url))
    waiting = asyncio.create_task(stopping.wait())
    await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if working.done():
        working.result()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    return 0


async def _work(found: Settings, places: Places, prepared: assembly.Prepared, url: str) -> None:
    server, clock = Server(url), SystemClock()
    uplink, labels = Uplink(server, clock), dict(prepared.labels)
    executor: Executor | None = None
    try:
        known = await _known(server, places.data / "executor.json")
        session = await _session(server)
        executor, uplink.logs = make(found, replace(prepared, labels=labels), session, uplink)
        capacity = await executor.start()
        if isinstance(capacity, Reason):
            raise Unavailable(reason=reason("executor.no-sandbox", capacity))
        agent = Agent(
            server, Line(), executor, uplink, clock, known.key, lambda: _beat(executor, found),
            lambda told: take_labels(labels, found, told),
        )  # fmt: skip
        log.info("executor %s runs builds of %s", known.name, url)
        await agent.run()
    except Unauthenticated:  # the site knows us no more, and so nobody comes for what is kept here
        if executor is not None:
            await executor.held.give_up()
        raise
    finally:
        if executor is not None:
            await executor.close()
        await server.close()


def make(found: Settings, prepared: assembly.Prepared, session: Session, uplink: Uplink) -> tuple[Executor, Logs]:
    """The executor of a site on another machine; it reports and fetches through the uplink."""
    host = session.host.partition(":")[0]
    around = providing.Around(prepared.directory, prepared.images, host, partial(settings_text.resolve, found))
    return assembly.executor(
        prepared,
        reports=FarReports(uplink),
        sources=uplink,
        clock=SystemClock(),
        host=host,
        mirrors=found.network.mirrors or None,
        git_server=(session.host,),
        slots=found.executor.slots or None,
        patience=found.executor.alternatives_after * 60.0,
        sizes=Sizes(session.max_log, session.max_artifacts),
        providers=providing.sources(found.providers, around),
    )


def _beat(executor: Executor, found: Settings) -> Beat:
    labels = cast("dict[str, Written]", {name: dict(keys) for name, keys in found.labels.items()})
    slots, can = executor.free_slots() + len(executor.running), abilities_of(executor, labels)
    return Beat(__version__, slots, can, waits=executor.supply.waits())


def take_labels(labels: dict[str, Label], found: Settings, told: Mapping[str, Mapping[str, object]]) -> None:
    """What the site says of labels; what this machine's own settings say of one wins."""
    labels.update({name: label_from(name, keys) for name, keys in told.items() if name not in found.labels})


async def _session(server: Server) -> Session:
    while True:
        try:
            return await server.session()
        except Unavailable as problem:
            log.warning("%s", words_of(problem))
            await asyncio.sleep(_AGAIN)


async def _known(server: Server, file: Path) -> Known:
    """As what the site knows us; the first time by the token that an administrator passed on."""
    token = os.environ.pop("GATEBOT_TOKEN", "")
    known = _read(file)
    if known is not None and known.url == server.url:
        server.token = known.token
        return known
    if not token:
        raise Unauthenticated(reason=reason("executor.token-needed", url=server.url))
    key = boxes.make()
    name, kept = await server.admit(token, boxes.public(key), __version__)
    made = Known(server.url, name, kept, key)
    text = json.dumps({"url": made.url, "name": name, "token": kept, "key": base64.b64encode(key).decode()})
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(text + "\n")
    server.token = kept
    return made


def _read(file: Path) -> Known | None:
    try:
        told: dict[str, str] = json.loads(file.read_text())
        return Known(told["url"], told["name"], told["token"], base64.b64decode(told["key"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError) as problem:
        raise Unavailable(f"{file} cannot be used ({problem}). Remove it and enrol this machine anew.") from None
