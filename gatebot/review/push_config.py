# SPDX-License-Identifier: Apache-2.0
"""What `project.config` asks of a push, and what is asked of a push that changes `project.config`.

Reads only: the sections `[receive]`, `[change]` and `[project]` become a `Policy`; files that somebody
wants on `refs/meta/config` are checked before they can count for anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from ..access import SITE, Actor, Rulebook, Target, Verb, may
from ..reasons import Reason, reason
from ..repo import Incoming
from . import push_advice
from .agreements.configured import agreements, asked_of
from .agreements.model import Agreement
from .config.model import ALL_PROJECTS, CONFIG_REF, ConfigFile, Trouble
from .config.ports import Configs
from .config.syntax import truth
from .push_policy import Policy
from .receive import Refusal


@dataclass(frozen=True, slots=True)
class ConfigPolicies:
    """The policy of each project: `site` where neither it nor a parent says anything."""

    site: Policy
    configs: Configs

    def of(self, project: str) -> Policy:
        """What this project asks of a push."""
        files = self.configs.files(project)
        return replace(
            self.site,
            strict_change_id=_said(files, "receive", "requireChangeId", self.site.strict_change_id),
            signed_off_by=_said(files, "receive", "requireSignedOffBy", self.site.signed_off_by),
            implicit_merges=not _said(files, "receive", "rejectImplicitMerges", not self.site.implicit_merges),
            private=_said(files, "change", "privateByDefault", self.site.private),
            work_in_progress=_said(files, "change", "workInProgressByDefault", self.site.work_in_progress),
            agreements=self._agreements(files, project),
            read_only=bool(files) and _state(files[0]) in ("read only", "read_only", "hidden"),
        )

    def _agreements(self, files: Sequence[ConfigFile], project: str) -> tuple[Agreement, ...]:
        """Those of which this project wants one on file."""
        if not _said(files, "receive", "requireContributorAgreement", False):
            return ()
        return asked_of(agreements(self.configs.configs(ALL_PROJECTS)[0]), project)


def _said(files: Iterable[ConfigFile], section: str, name: str, default: bool) -> bool:
    """The nearest file that says yes or no; `INHERIT` says neither."""
    for file in files:
        entry = file.entry(section, name)
        value = truth(entry.value) if entry is not None else None
        if value is not None:
            return value
    return default


def _state(file: ConfigFile) -> str:
    return (file.get("project", "state") or "active").strip().lower()


@dataclass(frozen=True, slots=True)
class ConfigGuard:
    """Lets nothing onto `refs/meta/config` that is wrong, or that is not its author's to say."""

    configs: Configs
    rules: Rulebook

    def past_review(self, actor: Actor, project: str, incoming: Incoming, commit: str) -> Refusal | None:
        """About a commit that shall be the configuration at once: owners only."""
        if not may(actor, Verb.OWN, Target(project), self.rules):
            text = "prohibited by Gerrit: not permitted: update"
            return Refusal(text, ref=CONFIG_REF, advice=push_advice.CONFIG)
        refused = self._refused(actor, project, lambda name: incoming.read_file(commit, name), commit)
        return replace(refused, ref=CONFIG_REF) if refused is not None else None

    def for_review(self, actor: Actor, project: str, incoming: Incoming, commits: Sequence[str]) -> Refusal | None:
        """About commits that shall be reviewed: the first that is wrong."""
        for commit in commits:
            found = self._refused(actor, project, lambda name, at=commit: incoming.read_file(at, name), commit)
            if found is not None:
                return found
        return None

    def _refused(self, actor: Actor, project: str, read: Callable[[str], bytes | None], commit: str) -> Refusal | None:
        why = self.against(actor, project, read)
        if why is None:
            return None
        return Refusal("invalid project configuration", reason("review.config-fix"), commit, told=why)

    def against(self, actor: Actor, project: str, read: Callable[[str], bytes | None]) -> Reason | None:
        """What speaks against these files of this author, all of it."""
        troubles = self.configs.troubles(project, read)
        if troubles:
            return invalid(troubles)
        if self.configs.takes_parent(project, read) and not may(actor, Verb.ADMINISTRATE_SERVER, SITE, self.rules):
            return reason("review.config-invalid", reason("review.config-parent-admin"))
        return None


def invalid(troubles: Iterable[Trouble]) -> Reason:
    """All that is wrong with files, one line each."""
    lines = (reason("review.config-at", one.why, file=one.file, line=one.line) for one in troubles)
    return reason("review.config-invalid", *lines)
