# SPDX-License-Identifier: Apache-2.0
"""The living rulebook: `project.config` of real repositories decides at once, inherits, blocks, shuts when broken."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gatebot.access import DEFAULT, REGISTERED, Actor, Target, Verb, allowed_range, capabilities_of, may
from gatebot.db import Database
from gatebot.identity import ADMINISTRATORS, CORE, Identity
from gatebot.repo import ZERO, Repositories, person
from gatebot.review import hosting
from gatebot.review.config.book import Book
from gatebot.review.config.founding import found_root
from gatebot.review.config.model import ALL_PROJECTS, CONFIG_REF
from tests.fakes.clock import FakeClock

ANN = Actor(1, frozenset(), "ann")
BOB = Actor(2, frozenset({CORE}), "bob")
ADMIN = Actor(3, frozenset({ADMINISTRATORS}), "root")
WHO = person("Ann", "ann@example.org", 1_767_600_000)


@dataclass
class Site:
    db: Database
    repositories: Repositories
    identity: Identity
    book: Book
    clock: FakeClock
    now: float = 0.0

    def configure(self, project: str, text: str, groups: str = "") -> None:
        """Put files on the configuration reference, making the project when it is not there."""
        if not self.repositories.exists(project):
            self.repositories.create(project)
        files = {"project.config": text.encode(), "groups": groups.encode()}
        tree = self.repositories.write_tree(project, files)
        old = self.repositories.resolve(project, CONFIG_REF) or ""
        commit = self.repositories.write_commit(project, tree, (old,) if old else (), WHO, WHO, "Change rights\n")
        assert self.repositories.update_ref(project, CONFIG_REF, old or ZERO, commit)

    def may(self, who: Actor, verb: Verb, project: str, ref: str = "refs/heads/main") -> bool:
        return may(who, verb, Target(project, ref), self.book)


@pytest.fixture
async def site(migrated_sqlite: Path, tmp_path: Path, fake_clock: FakeClock) -> AsyncIterator[Site]:
    shutil.copyfile(migrated_sqlite, tmp_path / "gatebot.db")
    db = Database.open(f"sqlite:///{tmp_path / 'gatebot.db'}", durable=False)
    repositories = Repositories(tmp_path / "git")
    made = Site(db, repositories, Identity(db, fake_clock), None, fake_clock)  # type: ignore[arg-type]
    made.book = Book(db, repositories, lambda: made.now)
    made.identity.groups_changed.append(made.book.refresh)
    await made.book.refresh()
    yield made
    await db.close()


async def test_an_older_site_gets_all_projects_and_loses_no_right(site: Site) -> None:
    everything = [
        (who, verb, ref, owner)
        for who in (Actor(None), ANN, BOB, ADMIN)
        for verb in Verb
        for ref in ("refs/heads/main", CONFIG_REF, "refs/tags/1")
        for owner in (None, 1)
    ]
    before = [may(who, verb, Target("api", ref, owner), DEFAULT) for who, verb, ref, owner in everything]
    assert await found_root(site.db, site.repositories, site.clock)
    after = [may(who, verb, Target("api", ref, owner), site.book) for who, verb, ref, owner in everything]
    assert after == before
    for label in ("Code-Review", "Verified", "Workflow"):
        for who in (ANN, BOB, ADMIN):
            assert allowed_range(who, label, Target("api", "refs/heads/main", 1), site.book) == allowed_range(
                who, label, Target("api", "refs/heads/main", 1), DEFAULT
            )
    assert capabilities_of(ADMIN, site.book) == capabilities_of(ADMIN, DEFAULT)
    hosted = await site.db.read(hosting.get_project, ALL_PROJECTS)
    assert hosted.default_branch == CONFIG_REF
    assert site.repositories.default_branch(ALL_PROJECTS) == CONFIG_REF


async def test_founding_twice_changes_nothing(site: Site) -> None:
    await found_root(site.db, site.repositories, site.clock)
    tip = site.repositories.resolve(ALL_PROJECTS, CONFIG_REF)
    assert not await found_root(site.db, site.repositories, site.clock)
    assert site.repositories.resolve(ALL_PROJECTS, CONFIG_REF) == tip


async def test_what_a_project_says_counts_for_it_alone_and_at_once(site: Site) -> None:
    await found_root(site.db, site.repositories, site.clock)
    site.repositories.create("other")
    assert not site.may(ANN, Verb.PUSH, "api")
    site.configure("api", f'[access "refs/heads/*"]\n\tpush = group {REGISTERED}\n')
    assert site.may(ANN, Verb.PUSH, "api")
    assert not site.may(ANN, Verb.PUSH, "other")
    site.configure("api", f'[access "refs/heads/*"]\n\tread = block group {REGISTERED}\n')
    assert not site.may(ANN, Verb.READ, "api")
    assert site.may(ANN, Verb.READ, "other")


async def test_a_parent_gives_and_blocks_what_its_children_do(site: Site) -> None:
    await found_root(site.db, site.repositories, site.clock)
    site.configure(
        "team", f'[access "refs/heads/*"]\n\tpush = group {REGISTERED}\n\tsubmit = block group {REGISTERED}\n'
    )
    site.configure("api", f'[access]\n\tinheritFrom = team\n[access "refs/*"]\n\tsubmit = group {REGISTERED}\n')
    assert site.book.parent("api") == "team"
    assert site.book.parent("team") == ALL_PROJECTS
    assert site.may(ANN, Verb.PUSH, "api")
    assert not site.may(BOB, Verb.SUBMIT, "api"), "a block of a parent beats an allow below"
    site.configure("team", "")
    assert not site.may(ANN, Verb.PUSH, "api"), "what a parent says now counts now"
    assert site.may(BOB, Verb.SUBMIT, "api")


async def test_projects_that_inherit_from_one_another_still_end_at_the_root(site: Site) -> None:
    await found_root(site.db, site.repositories, site.clock)
    site.configure("one", "[access]\n\tinheritFrom = two\n")
    site.configure("two", "[access]\n\tinheritFrom = one\n")
    assert site.may(ANN, Verb.READ, "one")
    assert [one.name for one in site.repositories.path("one").parent.iterdir()]
    assert len(site.book.files("one")) == 3


async def test_another_process_is_heard_after_a_moment(site: Site, tmp_path: Path) -> None:
    await found_root(site.db, site.repositories, site.clock)
    site.repositories.create("api")
    assert not site.may(ANN, Verb.PUSH, "api")
    ours = site.repositories
    site.repositories = Repositories(tmp_path / "git")
    site.configure("api", f'[access "refs/heads/*"]\n\tpush = group {REGISTERED}\n')
    site.repositories = ours
    assert not site.may(ANN, Verb.PUSH, "api")
    site.now += 0.1
    assert site.may(ANN, Verb.PUSH, "api")


async def test_a_group_is_known_by_its_uuid(site: Site) -> None:
    await found_root(site.db, site.repositories, site.clock)
    made = await site.identity.create_group("Team")
    site.configure("api", '[access "refs/heads/*"]\n\tpush = group Team\n', f"{made.uuid}\tTeam\n")
    assert site.may(Actor(9, frozenset({"Team"})), Verb.PUSH, "api")
    await site.identity.rename_group("Team", "Crew")
    assert site.may(Actor(9, frozenset({"Crew"})), Verb.PUSH, "api")
    assert not site.may(Actor(9, frozenset({"Team"})), Verb.PUSH, "api")
    await site.identity.delete_group("Crew")
    await site.identity.create_group("Crew")
    assert not site.may(Actor(9, frozenset({"Crew"})), Verb.PUSH, "api"), "a new group is not the old one"


async def test_files_that_cannot_be_read_shut_their_project_for_all_but_administrators(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    await found_root(site.db, site.repositories, site.clock)
    site.configure("api", f'[access "refs/heads/*"]\n\tsubmit = blokc group {REGISTERED}\n')
    assert not site.may(BOB, Verb.READ, "api")
    assert site.may(ADMIN, Verb.READ, "api", CONFIG_REF)
    assert site.may(ADMIN, Verb.PUSH, "api", CONFIG_REF)
    assert site.may(BOB, Verb.READ, "other")
    told = [record.message for record in caplog.records]
    assert told == [
        f"{CONFIG_REF} of api: project.config:2: `blokc group Registered Users` is not a rule. Write: [deny|block] "
        "[+force] [MIN..MAX] group NAME",
        "api is shut for all but administrators until these are corrected",
    ]


async def test_what_speaks_against_a_push_is_told_before_it_counts(site: Site) -> None:
    await found_root(site.db, site.repositories, site.clock)
    site.configure("team", "")
    wanted = {
        "project.config": b'[access]\n\tinheritFrom = team\n[access "refs/*"]\n\tread = group Core\n',
        "groups": b"",
    }
    told = site.book.troubles("api", wanted.get)
    core = await site.identity.find_group(CORE)
    assert core is not None
    assert [(one.file, one.line, one.why.kind, one.why.get("uuid")) for one in told] == [
        ("project.config", 4, "review.config-group-add", core.uuid)
    ]
    assert site.book.takes_parent("api", wanted.get)
    assert not site.book.takes_parent("api", {}.get)
