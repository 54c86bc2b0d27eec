# SPDX-License-Identifier: Apache-2.0
"""A cloud's APIs by openstacksdk: it knows clouds.yaml, the ways to log in, the catalog, versions, how fast to ask.

The library is imported when a cloud is first asked, and every call is made on a thread of this cloud's own. What is
told to a cloud or kept in its files is never part of an error or of a log.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from ...errors import Unavailable
from ...reasons import Reason, reason
from ..providers.answers import Object
from .troubles import AWAY, trouble, unreachable

_NOTHING: Mapping[str, str] = MappingProxyType({})
_TIMEOUT = 60
_THREADS = 8


@dataclass(slots=True)
class Cloud:
    """The cloud `name` of the file `clouds`; each of its services is asked at most `rate` times in a second."""

    name: str
    clouds: Path
    rate: int = 10
    _connection: Any = field(default=None, init=False)
    _opening: threading.Lock = field(default_factory=threading.Lock, init=False)
    _threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(_THREADS, "openstack"), init=False
    )  # fmt: skip

    async def ask(
        self,
        service: str,
        method: str,
        path: str,
        body: Object | None = None,
        *,
        query: Mapping[str, str] = _NOTHING,
        missing: Object | None = None,
    ) -> Object:
        """One question; `Unavailable` says what came instead. `missing` is the answer where there is no such thing."""
        loop = asyncio.get_running_loop()
        asking = loop.run_in_executor(self._threads, self._ask, service, method, path, body, query, missing)
        try:
            found = await asyncio.shield(asking)
        except asyncio.CancelledError:
            await asyncio.wait([asking])  # what a question makes is there before anybody looks for what to take away
            raise
        if isinstance(found, Reason):
            raise Unavailable(reason=found)
        return found

    async def close(self) -> None:
        """Let go of all connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._drop)

    def _ask(
        self,
        service: str,
        method: str,
        path: str,
        body: Object | None,
        query: Mapping[str, str],
        missing: Object | None,
    ) -> Object | Reason:
        try:
            import requests
            from keystoneauth1 import exceptions as auth
            from openstack import exceptions
        except ImportError:
            return reason("executor.cloud-library")
        try:
            adapter = self._adapter(service)
            answer = adapter.request(path, method, params=dict(query), json=body, raise_exc=False, log=False)
        except (auth.EndpointNotFound, exceptions.ServiceDisabledException):
            return missing if missing is not None else reason("executor.cloud-no-service", service=service)
        except (exceptions.ConfigException, auth.AuthPluginException) as problem:
            return reason("executor.cloud-settings", cloud=self.name, file=str(self.clouds), told=str(problem))
        except auth.Unauthorized as problem:
            return reason("executor.cloud-login", cloud=self.name, file=str(self.clouds), told=problem.message or "")
        except (auth.ClientException, exceptions.SDKException, requests.RequestException, OSError) as problem:
            self._drop()
            return unreachable(service, str(problem) or type(problem).__name__)
        if answer.status_code == HTTPStatus.NOT_FOUND and missing is not None:
            return missing
        if not answer.ok:
            return trouble(service, answer.status_code, answer.text)
        return _decoded(service, answer.content)

    def _adapter(self, service: str) -> Any:
        """The client of a service; logs in, and asks for its versions, when it is first needed."""
        from openstack.config import OpenStackConfig
        from openstack.connection import Connection
        from openstack.exceptions import ConfigException

        with self._opening:
            if self._connection is None:
                if not self.clouds.is_file():
                    raise ConfigException("there is no such file")
                config = OpenStackConfig(
                    config_files=[str(self.clouds)],
                    secure_files=[str(self.clouds.with_name("secure.yaml"))],
                    load_envvars=False,
                    app_name="gatebot",
                )
                cloud = config.get_one(self.name, api_timeout=_TIMEOUT)
                self._connection = Connection(config=cloud, rate_limit=float(self.rate))
            return getattr(self._connection, service)

    def _drop(self) -> None:
        """Begin anew with the next question: the cloud may be another when it is back."""
        with self._opening:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _decoded(service: str, content: bytes) -> Object | Reason:
    if not content:
        return {}
    try:
        return msgspec.json.decode(content, type=dict[str, object])
    except msgspec.MsgspecError:
        return reason(AWAY, told=f"{service}: the answer is no JSON")
