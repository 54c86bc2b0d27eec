# SPDX-License-Identifier: Apache-2.0
"""`gatebot serve`: from a site's directory to a running server, and its orderly end.

The only moment at which anything runs as root is before the event loop: the executor's privileged
process is started, then the rights are given up. Everything else happens as the server's user.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import ssl
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from aiohttp import web

from .. import db, settings
from ..clock import SystemClock
from ..errors import Unavailable
from ..executor import assembly, providing
from ..executor.labels import site_labels
from ..executor.model import Sandbox
from ..executor.providers import link
from ..hearing import Runner
from ..settings import Settings
from . import places as site_places
from .footing import check_git, check_reach, in_the_open, sole_server, take_address
from .places import Places
from .site_app import SiteApp
from .users import User, give, server_user
from .warming import warm

log = logging.getLogger("gatebot")
_STOP_SECONDS = 5.0


def serve(directory: Path) -> int:
    """Serve the site until SIGTERM or SIGINT; the exit code."""
    found, places = site_places.load(directory)
    begin_to_log()
    user = server_user(found.executor.run_as)
    if told := in_the_open(found.web):
        log.warning("%s", told)
    check_git()
    check_reach(user, places.data)
    with sole_server(places.data, user), take_address(found.web.listen) as address, _ssh(found) as ssh:
        prepared = prepare_executor(found, places, user) if found.executor.enabled else None
        tls = _tls(found)
        if user is not None:
            give(places.data / "logs", user)
            link.drop(user.uid, user.gid)
        log.info("starting")
        db.migrate(places.database_url)
        return asyncio.run(_run(found, places, prepared, address, ssh, tls))


def begin_to_log() -> None:
    """To stderr, without what libraries say of their everyday work."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    for chatty in ("alembic", "apscheduler"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def prepare_executor(found: Settings, places: Places, user: User | None) -> assembly.Prepared:
    """What of the executor must be made while we may be root."""
    labels = site_labels(found.labels, providing.kinds(found.providers))
    wheels = settings.resolve(found, found.executor.wheelhouse) if found.executor.wheelhouse else ""
    prepared = assembly.prepare(
        places.data,
        sandbox=Sandbox(found.executor.sandbox),
        labels=labels,
        wheelhouse=wheels,
        images=site_places.images_of(found, places),
        machines=providing.machines(found.providers),
        server_uid=user.uid if user else None,
    )
    prepared.imaging.start(labels.values())
    return prepared


def calm_collector() -> None:
    """Let Python's collector of cycles pass over all that start-up made, and look less often at what is new.

    A full look at a site's living objects stops every request for 50 to 150 ms, and finds next to nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _tls(found: Settings) -> ssl.SSLContext | None:
    if not found.web.tls_certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate, key = (settings.resolve(found, path) for path in (found.web.tls_certificate, found.web.tls_key))
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise Unavailable(f"web.tls_certificate and web.tls_key cannot be used: {error}. Check both files.") from None
    return context


@contextmanager
def _ssh(found: Settings) -> Generator[socket.socket | None]:
    """The address of SSH, where it is wanted."""
    if not found.ssh.listen:
        yield None
        return
    with take_address(found.ssh.listen, "ssh.listen") as address:
        yield address


async def _run(
    found: Settings,
    places: Places,
    prepared: assembly.Prepared | None,
    address: socket.socket,
    ssh: socket.socket | None,
    tls: ssl.SSLContext | None,
) -> int:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopping.set)
    site = await SiteApp.open(found, places, prepared, SystemClock())
    calm_collector()
    runner = Runner(site.web(), _STOP_SECONDS)
    await runner.setup()
    await site.start()
    # Who gets an answer over HTTP gets one over SSH, too.
    if ssh is not None:
        await site.ssh.listen(ssh)
    await web.SockSite(runner, address, ssl_context=tls).start()
    log.info("serving %s", found.url)
    preparing = asyncio.create_task(warm(site.site))
    failed = await site.work(stopping)
    preparing.cancel()
    site.closing()
    await runner.cleanup()
    await site.close()
    return 1 if failed else 0
