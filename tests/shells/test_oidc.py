# SPDX-License-Identifier: Apache-2.0
"""An OpenID Connect provider over a real connection: answers that come in pieces, and providers that are set up badly.

What a provider signs is proved in `tests/stories/test_joining.py`, against one in a process of its own.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gatebot.clock import SystemClock
from gatebot.errors import Unavailable
from gatebot.oidc import OpenIdConnect, Provider

CONFIGURATION = "/.well-known/openid-configuration"


@dataclass
class Answers:
    """Says what a test wants at each path, in two pieces that come one after the other."""

    said: dict[str, object] = field(default_factory=dict[str, object])
    issuer: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        whole = json.dumps(self.said[request.path]).encode()
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        await answer.prepare(request)
        await answer.write(whole[: len(whole) // 2])
        await asyncio.sleep(0.02)  # two packets, as from any server that is far enough away
        await answer.write(whole[len(whole) // 2 :])
        return answer


def configuration(issuer: str) -> dict[str, str]:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/keys",
    }


@pytest.fixture
async def answers() -> AsyncIterator[Answers]:
    found, app = Answers(), web.Application()
    app.router.add_route("*", "/{path:.*}", found.answer)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    found.issuer = str(server.make_url("")).rstrip("/")
    found.said[CONFIGURATION] = configuration(found.issuer)
    yield found
    await server.close()


def connect(answers: Answers, tmp_path: Path) -> OpenIdConnect:
    (tmp_path / "secret").write_text("sesame\n")
    provider = Provider(
        answers.issuer, "gatebot", str(tmp_path / "secret"), "https://review.example.org/login/oidc/back"
    )
    return OpenIdConnect(provider, SystemClock())


def why(told: pytest.ExceptionInfo[Unavailable]) -> object:
    """What the refusal says of the provider."""
    assert told.value.reason is not None
    return dict(told.value.reason.params)["why"]


async def test_an_answer_that_comes_in_pieces_is_read_to_its_end(answers: Answers, tmp_path: Path) -> None:
    begun = await connect(answers, tmp_path).begin()
    assert begun.url.startswith(f"{answers.issuer}/authorize?")


async def test_an_answer_without_end_is_not_read(answers: Answers, tmp_path: Path) -> None:
    answers.said[CONFIGURATION] = {"issuer": answers.issuer, "more": "x" * 1024 * 1024}
    with pytest.raises(Unavailable) as told:
        await connect(answers, tmp_path).begin()
    assert why(told) == "its answer is longer than 512 KiB"


@pytest.mark.parametrize("missing", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
async def test_a_provider_that_does_not_say_where_to_go_is_named(
    answers: Answers, tmp_path: Path, missing: str
) -> None:
    said = configuration(answers.issuer)
    del said[missing]
    answers.said[CONFIGURATION] = said
    with pytest.raises(Unavailable) as told:
        await connect(answers, tmp_path).begin()
    assert why(told) == f"its configuration has no {missing}"


@pytest.mark.parametrize("keys", [{"nothing": []}, {"keys": "none"}, {"keys": [{"kty": "RSA"}]}, {"keys": [7]}])
async def test_keys_that_are_none_are_no_fault_of_ours(answers: Answers, tmp_path: Path, keys: object) -> None:
    answers.said["/keys"] = keys
    answers.said["/token"] = {"id_token": "e30.e30.e30", "access_token": "x"}
    with pytest.raises(Unavailable) as told:
        await connect(answers, tmp_path).finish("code", "nonce", "verifier")
    assert why(told) == "its keys cannot be read"
