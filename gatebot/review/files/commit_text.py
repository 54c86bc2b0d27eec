# SPDX-License-Identifier: Apache-2.0
"""The pseudo files of a patch set: its commit message with what stands above it, and what a merge brings.

Pure. Lines are Gerrit's, because comments on the message count them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ..model import PatchSet, Person


def commit_message_file(patch_set: PatchSet, subjects: dict[str, str]) -> str:
    """The text of `/COMMIT_MSG`; `subjects` are those of the parents that are known."""
    parents = [
        f"{parent[:8]} ({subjects[parent]})" if parent in subjects else parent[:8] for parent in patch_set.parents
    ]
    match parents:
        case []:
            head: list[str] = []
        case [only]:
            head = [f"Parent:     {only}"]
        case _:
            head = [f"Merge Of:   {parents[0]}", *(f"            {parent}" for parent in parents[1:])]
    head += _person("Author", patch_set.author) + _person("Commit", patch_set.committer)
    return "\n".join([*head, "", patch_set.message])


def merge_list_file(commits: Iterable[tuple[str, str]]) -> str:
    """The text of `/MERGE_LIST`: the commits that a merge brings, newest first."""
    lines = [f"* {id[:8]} {subject}" for id, subject in commits]
    return "\n".join(["Merge List:", "", *lines, ""])


def _person(role: str, who: Person) -> list[str]:
    date = f"{role}Date:"
    return [f"{role + ':':<12}{who.name} <{who.email}>", f"{date:<12}{_date(who.when)}"]


def _date(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M:%S %z")
