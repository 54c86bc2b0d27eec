# SPDX-License-Identifier: Apache-2.0
"""Key pairs of projects in the database, and the secrets of jobs decrypted with them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from gatebot.assignment import FrozenJob, Playbook, SecretRef
from gatebot.db import Database
from gatebot.errors import GatebotError, Unavailable
from gatebot.keys import Keys, SiteKey, boxes, key_of_site, oaep, store
from gatebot.pipeline.vault import Vault
from gatebot.words import say
from tests.fakes.clock import FakeClock
from tests.fakes.configuration import tenant_layout

PEM = (Path(__file__).resolve().parents[1] / "data" / "zuul-secrets" / "private.pem").read_bytes()


def with_secret(text: str, project: str = "a") -> tuple[FrozenJob, SecretRef]:
    ref = SecretRef("login", "login", project, text)
    return FrozenJob("deploy", "d", run=(Playbook(project, "main", "run.yaml", secrets=(ref,)),)), ref


async def test_a_pair_is_made_once_when_it_is_first_asked_for(migrated_url: str, fake_clock: FakeClock) -> None:
    db = Database.open(migrated_url)
    keys = Keys(db, fake_clock, SiteKey.new())
    assert await db.read(store.every) == ()
    one, two = await asyncio.gather(keys.public("a", boxes.KIND), keys.public("a", boxes.KIND))
    assert one == two == await Keys(db, fake_clock, keys.site_key).public("a", boxes.KIND)
    (pair,) = await db.read(store.every)
    assert (pair.project, pair.kind, pair.created) == ("a", "gatebot-sealed", fake_clock.now())
    box = boxes.encrypt(one, "a", "비밀".encode())
    assert await asyncio.to_thread(keys.decrypt, "a", boxes.KIND, (box,)) == "비밀".encode()
    await db.close()


@pytest.mark.slow
async def test_a_pair_in_zuuls_format_has_4096_bits(migrated_url: str, fake_clock: FakeClock) -> None:
    db = Database.open(migrated_url)
    keys = Keys(db, fake_clock, SiteKey.new())
    public = await keys.public("org/a", oaep.KIND)
    assert public.startswith("-----BEGIN PUBLIC KEY-----\n")
    chunks = oaep.encrypt(public, b"x" * 471)
    assert [len(chunk) for chunk in chunks] == [684, 684]
    assert await asyncio.to_thread(keys.decrypt, "org/a", oaep.KIND, chunks) == b"x" * 471
    await db.close()


async def test_nothing_private_is_in_the_database_in_the_clear(migrated_url: str, fake_clock: FakeClock) -> None:
    db = Database.open(migrated_url)
    keys = Keys(db, fake_clock, SiteKey.new())
    await db.run(store.add, keys.sealed("a", oaep.KIND, PEM, oaep.public(PEM)))
    row = (await db.read(lambda session: session.execute(sa.select(store.pairs)).one()))._mapping
    assert "PRIVATE" not in str(row)
    assert keys.private(store.Pair(**row)) == PEM
    await db.close()


async def test_a_site_whose_key_file_is_lost_does_not_start_with_another(
    migrated_url: str, fake_clock: FakeClock, tmp_path: Path
) -> None:
    db = Database.open(migrated_url)
    first = await key_of_site(db, tmp_path / "site.key")
    await Keys(db, fake_clock, first).public("a", boxes.KIND)
    (tmp_path / "site.key").rename(tmp_path / "kept")
    with pytest.raises(Unavailable, match=r"site\.key is missing.*Bring it back from a backup"):
        await key_of_site(db, tmp_path / "site.key")
    (tmp_path / "kept").rename(tmp_path / "site.key")
    assert (await key_of_site(db, tmp_path / "site.key")).open(first.seal(b"x", "y"), "y") == b"x"
    await db.close()


async def test_a_job_is_given_the_values_of_its_secrets(migrated_url: str, fake_clock: FakeClock) -> None:
    db = Database.open(migrated_url)
    keys = Keys(db, fake_clock, SiteKey.new())
    await db.run(store.add, keys.sealed("a", oaep.KIND, PEM, oaep.public(PEM)))
    box = boxes.encrypt(await keys.public("a", boxes.KIND), "a", b"new")
    (chunk,) = oaep.encrypt(oaep.public(PEM), b"old")
    layout = tenant_layout(
        {
            "a": f"""
            - secret:
                name: login
                data:
                  user: me
                  old: !encrypted/pkcs1-oaep {chunk}
                  deep: [{{new: !encrypted/gatebot-sealed {box}}}]
            """
        }
    )
    job, ref = with_secret(json.dumps({"old": {"!encrypted/pkcs1-oaep": [chunk]}}))
    vault = Vault(keys)
    assert await asyncio.to_thread(vault.open, job) == {"login": {"old": "old"}}
    assert await asyncio.to_thread(vault.unusable, layout, [job]) == ()
    assert await asyncio.to_thread(vault.all_unusable, layout) == ()
    assert ref.data not in str(await asyncio.to_thread(vault.open, job))
    await db.close()


async def test_a_secret_that_cannot_be_decrypted_is_an_error_where_it_stands(
    migrated_url: str, fake_clock: FakeClock
) -> None:
    db = Database.open(migrated_url)
    keys = Keys(db, fake_clock, SiteKey.new())
    other = boxes.encrypt(boxes.public(boxes.make()), "a", b"x")
    layout = tenant_layout({"a": f"- secret: {{name: login, data: {{password: !encrypted/gatebot-sealed {other}}}}}\n"})
    job, _ = with_secret(json.dumps({"password": {"!encrypted/gatebot-sealed": [other]}}))
    vault = Vault(keys)

    async def told() -> list[str]:
        errors = await asyncio.to_thread(vault.unusable, layout, [job, job])
        assert [(error.at.project, error.at.path, error.at.line) for error in errors] == [("a", "zuul.yaml", 1)]
        assert errors == await asyncio.to_thread(vault.all_unusable, layout)
        return [say(error.reason) for error in errors]

    assert await told() == [
        "The secret login of a cannot be decrypted. a has no key pair for gatebot-sealed here, so nothing can "
        "have been encrypted for it. Bring Zuul's keys with `gatebot keys import FILE`, or encrypt the value anew with "
        "`gatebot secret encrypt --project a`."
    ]
    await keys.public("a", boxes.KIND)
    assert await told() == [
        "The secret login of a cannot be decrypted. It was encrypted for another key than that of a (gatebot-sealed), "
        "or was changed since. Encrypt the value anew with `gatebot secret encrypt --project a`."
    ]
    with pytest.raises(GatebotError):
        await asyncio.to_thread(vault.open, job)
    await db.close()
