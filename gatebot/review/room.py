# SPDX-License-Identifier: Apache-2.0
"""The review room put together: one value with every part, for `app.py`, the REST calls and the pages.

Only wiring. Git transport (`push.py`, `git_http.py`) is put together in `app.py`, beside this.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from .. import access
from ..clock import Clock
from ..db import Database
from ..identity import Identity
from ..repo import Repositories
from .branching import Branching
from .colliding import Collisions
from .config.lineage import Lineage
from .config.ports import Configs, NoConfigs
from .contents import RepositoryContents
from .deleting import Deleting
from .edits.creating import Creating
from .edits.keeping import Keeping
from .edits.service import Edits
from .files.service import Files
from .for_pages import ForPages, for_pages
from .gate_side import ReviewForGate
from .groups.service import GroupService
from .hosted.service import ConfigEditing
from .indexing import Indexing
from .inviting import Inviting
from .judging import Judge
from .keyed.service import KeyedValues
from .landing import Lander
from .making import Maker
from .moving import Moving
from .operating.tasks import Tasks
from .people.service import People
from .permission import ForTheGate
from .picking import Picking
from .ports import Gates
from .projects import Projects
from .push_config import ConfigGuard, ConfigPolicies
from .push_facts import Reader, Site
from .push_policy import Policies, Policy
from .reading import Reading
from .rebasing import Rebasing
from .reverting import Reverting
from .revisions import Revisions
from .service import Review
from .standing import Standing
from .states import States
from .submitting import Submission
from .threads.service import Threads
from .trackers.linking import Linking
from .trackers.model import Tracker
from .workbench import Workbench


@dataclass(frozen=True, slots=True)
class ReviewRoom:
    """Every part of the room. `for_gate` is what the pipeline room gets."""

    identity: Identity
    repositories: Repositories
    judge: Judge
    lander: Lander
    reading: Reading
    revisions: Revisions
    review: Review
    states: States
    submission: Submission
    maker: Maker
    standing: Standing
    picking: Picking
    reverting: Reverting
    rebasing: Rebasing
    moving: Moving
    deleting: Deleting
    keyed: KeyedValues
    projects: Projects
    files: Files
    indexing: Indexing
    threads: Threads
    edits: Edits
    keeping: Keeping
    creating: Creating
    people: People
    for_gate: ReviewForGate
    rules: access.Rulebook
    configs: Configs
    groups: GroupService
    inviting: Inviting
    branching: Branching
    config_editing: ConfigEditing
    tasks: Tasks
    site: Site
    policies: Policies
    for_pages: ForPages

    async def settle(self) -> int:
        """Finish the landings, patch sets and deletions that a killed server began; before anything plans."""
        made = await asyncio.to_thread(self.maker.settle) + await asyncio.to_thread(self.deleting.settle)
        return made + await self.for_gate.settle()


def furnish(
    db: Database, repositories: Repositories, identity: Identity, clock: Clock, gates: Gates, site: str | Site,
    rules: access.Rulebook = access.DEFAULT, configs: Configs | None = None, *, whole_topic: bool = False,
    policy: Policy | None = None, default_branch: str = "main", trackers: Sequence[Tracker] = (),
) -> ReviewRoom:  # fmt: skip
    """Put the room together; `site` is where the site is, `rules` and `configs` those of its projects.

    `whole_topic` submits topics as a whole; `policy` holds where a project says nothing; `trackers`: names elsewhere.
    """
    here, configs = Site(site) if isinstance(site, str) else site, configs or NoConfigs()
    linking, policies = Linking(tuple(trackers), configs), ConfigPolicies(policy or Policy(), configs)
    judge = Judge(gates, here.url, RepositoryContents(repositories), rules, configs, linking, policies)
    review, maker = Review(db, judge, clock, rules), Maker(db, repositories, judge, clock)
    reading = Reading(db, judge, clock, rules, Lineage(configs).below, Collisions(db, repositories, maker.scratch).told)
    lander = Lander(db, repositories, judge, clock, policies, configs)
    ties, by_gate = (db, repositories, judge, lander, clock, rules), Review(db, judge, clock, ForTheGate(rules))
    bench = Workbench(
        db, repositories, maker, clock, rules, _reader(db, repositories, rules, policies, here, judge),
        ConfigGuard(configs, rules), lambda s, actor, asked: frozenset(reading.seen_in(s, actor, asked)),
    )  # fmt: skip
    groups, edits, branching, standing = GroupService(identity, rules), Edits(bench), Branching(bench), Standing(bench)
    files, threads = Files(db, repositories), Threads(db, repositories, clock)
    return ReviewRoom(
        identity=identity,
        repositories=repositories,
        judge=judge,
        lander=lander,
        reading=reading,
        revisions=Revisions(repositories),
        review=review,
        states=States(db, clock, rules),
        submission=Submission(*ties, whole_topic=whole_topic, configs=configs, seen=reading.seen_in),
        maker=maker,
        standing=standing,
        picking=Picking(bench),
        reverting=Reverting(bench),
        rebasing=Rebasing(bench),
        moving=Moving(db, repositories, judge, clock, rules),
        deleting=Deleting(db, repositories, judge, clock, rules),
        keyed=KeyedValues(db, clock, rules),
        projects=Projects(db, repositories, clock, rules, default_branch),
        files=files,
        indexing=Indexing(db, repositories, standing.is_pure_revert),
        threads=threads,
        edits=edits,
        keeping=Keeping(db, repositories),
        creating=Creating(bench),
        people=People(db),
        for_gate=ReviewForGate(db, repositories, identity, judge, by_gate, lander, reading, policies),
        rules=rules,
        configs=configs,
        groups=groups,
        inviting=Inviting(groups, rules),
        branching=branching,
        config_editing=ConfigEditing(bench, branching),
        tasks=Tasks(clock),
        site=here,
        policies=policies,
        for_pages=for_pages(db, judge, reading, files, threads, edits, review, repositories),
    )


def _reader(
    db: Database, repositories: Repositories, rules: access.Rulebook, policies: Policies, here: Site, judge: Judge
) -> Reader:
    return Reader(
        db, repositories, rules, policies, here, lambda change: f"{here.url.rstrip('/')}/{change.path}", 1, judge.rules
    )
