# SPDX-License-Identifier: Apache-2.0
"""What is wrong with one commit by itself, whichever way it is pushed: Gerrit's validators.

Pure. The rights are asked before (`push_rights.py`); the sentences are Gerrit's, word for word, and so is what follows
them in the English catalogue (`review.push-told-...`).
"""

from __future__ import annotations

import re

from ..reasons import reason
from . import change_id
from .receive import CommitFacts, Known, Refusal, Rights

_SIGNED = re.compile(r"^Signed-off-by:[^\n<]*<([^>\n]+)>[ \t]*$", re.IGNORECASE | re.MULTILINE)


def of_commit(commit: CommitFacts, known: Known, rights: Rights) -> Refusal | None:
    """What speaks against a commit on any way; None: nothing."""
    if len(commit.parents) > 1 and not rights.merges:
        return Refusal("you are not allowed to upload merges", reason("review.push-merges"), commit.id)
    if commit.author_email.lower() in known.foreign and not rights.forge_author:
        return _forged("author", commit.author_email, commit, rights)
    if commit.committer_email.lower() in known.foreign and not rights.forge_committer:
        return _forged("committer", commit.committer_email, commit, rights)
    if rights.policy.signed_off_by and not rights.forge_committer and not _is_signed(commit, rights.email):
        text = "not Signed-off-by author/committer/uploader in message footer"
        return Refusal(text, reason("review.push-sign-off"), commit.id)
    if commit.id in known.banned:
        return Refusal(f"contains banned commit {commit.id}", reason("review.push-banned"), commit.id)
    return None


def of_change(commit: CommitFacts, known: Known, rights: Rights) -> Refusal | None:
    """What speaks against a commit that is to be reviewed: the above, and its Change-Id."""
    return of_commit(commit, known, rights) or _of_change_id(commit, rights)


def _of_change_id(commit: CommitFacts, rights: Rights) -> Refusal | None:
    found = change_id.read(commit.message)
    if isinstance(found, str) or (found.text == change_id.MISSING and not rights.policy.strict_change_id):
        return None
    match found.text:
        case change_id.MISSING | change_id.INVALID:
            told = reason("review.push-told-hook", hook=rights.hook)
        case change_id.MISPLACED:
            told = reason("review.push-told-misplaced")
        case change_id.SEVERAL:
            lines = [f"* {one} [{'VALID' if change_id.is_valid(one) else 'INVALID'}]" for one in found.found]
            told = reason("review.push-told-several", found="\n".join(lines))
        case _:
            return Refusal(found.text, reason("review.push-change-id"), commit.id)
    return Refusal(found.text, None, commit.id, told=told)


def _forged(who: str, email: str, commit: CommitFacts, rights: Rights) -> Refusal:
    if who == "author":
        told = reason("review.push-told-author", used=email, email=rights.email, site=rights.site)
        hint = reason("review.push-author", used=email, email=rights.email)
    else:
        told = reason("review.push-told-committer", used=email, email=rights.email, site=rights.site)
        hint = reason("review.push-committer", used=email, email=rights.email)
    return Refusal(f"invalid {who}", hint, commit.id, told=told)


def _is_signed(commit: CommitFacts, email: str) -> bool:
    """Whether author, committer or pusher has signed in the last paragraph."""
    signed = set(_SIGNED.findall(commit.message.strip().rpartition("\n\n")[2]))
    return bool(signed & {commit.author_email, commit.committer_email, email})
