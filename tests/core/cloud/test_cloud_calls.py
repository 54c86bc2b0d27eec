# SPDX-License-Identifier: Apache-2.0
"""The calls of the client that uses a cloud, as the first lines of each request's story."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from pathlib import Path
from types import ModuleType

import pytest

from gatebot.executor.files.entries import entries

REQUEST = "req-7ef94c11-4802-4f65-9103-e8a2d78c36f3"


@pytest.fixture
def sessions() -> Generator[logging.Logger]:
    logger = logging.getLogger("keystoneauth.session")
    before = logger.level, logger.propagate, list(logger.handlers)
    yield logger
    for handler in [one for one in logger.handlers if one not in before[2]]:
        logger.removeHandler(handler)
        handler.close()
    logger.level, logger.propagate = before[:2]


def test_a_call_is_kept_with_its_id_and_without_what_was_sent(
    module: Callable[[str], ModuleType], tmp_path: Path, sessions: logging.Logger
) -> None:
    log = tmp_path / "openstack.log"
    module("calls").keep(log)
    sessions.debug("REQ: curl -X POST http://127.0.0.1:5000/v3/auth/tokens -d secret")
    told = "%(method)s call to %(service_name)s for %(url)s used request id %(response_request_id)s"
    url = "http://127.0.0.1:8774/v2.1/servers"
    sessions.debug(told, {"method": "POST", "service_name": "compute", "url": url, "response_request_id": REQUEST})
    [line] = log.read_text().splitlines()
    assert line.endswith(f" INFO openstack [-] POST call to compute for {url} used request id {REQUEST}")
    [entry] = entries([line.encode()], 2026)
    assert entry.ids == (REQUEST,)
    assert entry.at > 0
