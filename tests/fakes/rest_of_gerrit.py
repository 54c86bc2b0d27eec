# SPDX-License-Identifier: Apache-2.0
"""A plain call of Gerrit's REST, as the admin of a new Gerrit."""

from __future__ import annotations

import base64
import json
import urllib.request
from typing import Any


def call(url: str, method: str, path: str, body: object = None, *, who: str = "admin", password: str = "secret") -> Any:
    """One call; a text is sent as it is, an error raises."""
    data = None if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
    kind = "text/plain" if isinstance(body, str) else "application/json"
    basic = base64.b64encode(f"{who}:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}"} | ({"Content-Type": kind} if data is not None else {})
    request = urllib.request.Request(f"{url}/a/{path}", data, headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = answer.read().decode()
    return json.loads(text.removeprefix(")]}'")) if text.startswith(")]}'") else text
