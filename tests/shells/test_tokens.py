# SPDX-License-Identifier: Apache-2.0
"""OpenID Connect tokens: signed for playbooks that list them, for builds that were given away, and for nobody else."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gatebot.assignment import FrozenJob, Playbook
from gatebot.db import Database
from gatebot.executor.model import Sandbox
from gatebot.keys import Keys, SiteKey, oaep, store, tokens
from gatebot.pipeline.config.freeze import freeze
from gatebot.pipeline.tokens.service import Issuer
from gatebot.pipeline.vault import Vault
from tests.fakes.clock import FakeClock
from tests.fakes.configuration import tenant_layout
from tests.fakes.executor import assignment, job, script
from tests.fakes.workshop import workshop

PEM = (Path(__file__).resolve().parents[1] / "data" / "zuul-secrets" / "private.pem").read_bytes()
CONFIG = """
- secret: {name: cloud, oidc: {%s}}
- job: {name: deploy, run: deploy.yaml, post-run: after.yaml, secrets: [{name: login, secret: cloud}]}
- job: {name: unit, parent: deploy, run: unit.yaml}
- project: {gate: {jobs: [unit]}}
"""


def frozen(asked: str = "ttl: 600, claims: {team: blue, sub: mine}") -> FrozenJob:
    layout = tenant_layout({"a": CONFIG % asked}, default_oidc_ttl=1800)
    graph = freeze(layout, "gate", "a", "main")
    assert graph.errors == ()
    return graph.jobs[0]


async def issuer(db: Database, clock: FakeClock) -> Issuer:
    keys = Keys(db, clock, SiteKey.new())
    await db.run(store.add, keys.sealed("", tokens.KIND, PEM, oaep.public(PEM)))
    return Issuer(keys, "https://gate.example.org", clock)


def claims(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


async def test_a_token_says_zuuls_claims_and_no_claim_of_the_configuration_replaces_them(
    migrated_url: str, fake_clock: FakeClock
) -> None:
    db = Database.open(migrated_url)
    made, unit = await issuer(db, fake_clock), frozen()
    build = replace(assignment("c" * 40, unit), tenant="main", pipeline="gate")
    made.expect(build)
    after = unit.post_run[0]
    now = int(fake_clock.now().timestamp())
    assert claims((await made.issue(build.build, build.fence, after))["cloud"]) == {
        "team": "blue",
        "iss": "https://gate.example.org",
        "sub": "secret:main/a/cloud",
        "build-uuid": build.build,
        "job-name": "unit",
        "playbook": "a/after.yaml",
        "pipeline": "gate",
        "tenant": "main",
        "iat": now,
        "exp": now + 600,
    }
    assert (await made.published())["keys"] == [tokens.jwk(oaep.public(PEM))]
    await db.close()


async def test_nothing_is_signed_for_other_playbooks_other_builds_and_other_fences(
    migrated_url: str, fake_clock: FakeClock
) -> None:
    db = Database.open(migrated_url)
    made, unit = await issuer(db, fake_clock), frozen("")
    build = assignment("c" * 40, unit)
    after = unit.post_run[0]
    assert await made.issue(build.build, build.fence, after) == {}, "it was not given away"
    made.expect(build)
    assert await made.issue(build.build, build.fence + 1, after) == {}
    assert await made.issue(build.build, build.fence, unit.run[0]) == {}, "the child's playbook lists none"
    forged = Playbook("a", "main", "unit.yaml", secrets=after.secrets)
    assert await made.issue(build.build, build.fence, forged) == {}
    token = (await made.issue(build.build, build.fence, after))["cloud"]
    assert claims(token)["exp"] - claims(token)["iat"] == 1800, "the tenant says how long"
    made.forget(build.build)
    assert await made.issue(build.build, build.fence, after) == {}
    assert Vault().open(unit) == {}, "nothing of it is decrypted"
    await db.close()


@pytest.mark.slow
async def test_a_script_gets_its_token_when_it_begins_and_the_log_does_not_show_it(tmp_path: Path) -> None:
    (ref,) = frozen().post_run[0].secrets
    async with workshop(tmp_path, Sandbox.NONE) as shop:
        book = replace(script("run.sh"), secrets=(ref,))
        given = shop.assignment({"run.sh": '#!/bin/sh\necho "$GATEBOT_SECRETS" | tr -d "{}"\n'}, job(book))
        assert (await shop.run(given)).result == "SUCCESS"
        assert '"login": "*****"' in shop.text(given.build)
