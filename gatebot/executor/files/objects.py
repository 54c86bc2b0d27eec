# SPDX-License-Identifier: Apache-2.0
"""A far store that speaks S3, by obstore: finished files go there, and parts of them are read from there.

Credentials come from a file that only this site reads, or from the environment; they are never a setting.
"""

from __future__ import annotations

import configparser
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...errors import SettingsError, Unavailable
from ...reasons import reason

_PATIENCE = "20s"


class Objects:
    """A bucket, or what is below a prefix of one."""

    def __init__(self, url: str, endpoint: str = "", credentials: Path | None = None) -> None:
        """`url` is `s3://BUCKET/PREFIX`; `credentials` a file as the AWS command line has it."""
        parts = urlsplit(url)
        if parts.scheme != "s3" or not parts.netloc:
            raise SettingsError(f"logs.store: {url!r} is no s3://BUCKET or s3://BUCKET/PREFIX.")
        try:
            import obstore
            from obstore.exceptions import BaseError
            from obstore.store import S3Store
        except ImportError:
            raise SettingsError(
                "logs.store needs obstore, which is not installed: pip install 'gatebot[s3]'."
            ) from None
        self._obstore: Any = obstore
        self._error: type[Exception] = BaseError
        options: dict[str, Any] = {"region": "us-east-1", **_credentials(credentials)}
        if endpoint:
            options |= {"endpoint": endpoint, "virtual_hosted_style_request": False}
        self._store: Any = S3Store(
            parts.netloc,
            prefix=parts.path.strip("/") or None,
            client_options={"timeout": _PATIENCE, "connect_timeout": "5s", "allow_http": endpoint.startswith("http:")},
            retry_config={"max_retries": 2},
            **options,
        )

    def put(self, key: str, path: Path) -> None:
        """Bring a file; large ones go in parts."""
        with self._told():
            self._obstore.put(self._store, key, path)

    def read(self, key: str, start: int, length: int) -> bytes:
        """A part of a file."""
        with self._told():
            return bytes(self._obstore.get_range(self._store, key, start=start, length=length))

    def remove(self, prefix: str) -> None:
        """Everything below a key."""
        with self._told():
            for page in self._obstore.list(self._store, prefix.rstrip("/")):
                paths = [str(one["path"]) for one in page]
                if paths:
                    self._obstore.delete(self._store, paths)

    @contextmanager
    def _told(self) -> Generator[None]:
        try:
            yield
        except (self._error, OSError) as problem:
            told = str(problem).strip().splitlines()
            raise Unavailable(reason=reason("executor.store-away", told=told[0][:300] if told else "?")) from None


def _credentials(file: Path | None) -> dict[str, str]:
    if file is None:
        return {}
    parser = configparser.ConfigParser()
    try:
        parser.read_string(file.read_text("utf-8"))
        section = parser[parser.sections()[0]]
        found = {"access_key_id": section["aws_access_key_id"], "secret_access_key": section["aws_secret_access_key"]}
    except (OSError, UnicodeDecodeError, configparser.Error, KeyError, IndexError) as problem:
        told = f"{type(problem).__name__}: {problem}"
        raise SettingsError(f"logs.store_credentials: {file} cannot be used ({told}).") from None
    return found | ({"region": section["region"]} if "region" in section else {})
