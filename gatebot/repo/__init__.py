# SPDX-License-Identifier: Apache-2.0
"""git of the server: bare repositories below a root, safe reads, one merge function, compare-and-swap of references.

Floor 2. `Repositories(root)` is all that other parts need; it is synchronous and safe from any
thread, so callers on the event loop use `asyncio.to_thread`. A store is a project's name
(`demo/api`) or a queue's `speculation/QUEUE`.
"""

from __future__ import annotations

from .bringing import brought_files
from .incoming import Incoming
from .missing import missing_parent
from .model import (
    EMPTY_TREE,
    ZERO,
    CommitInfo,
    DiffLine,
    FileChange,
    FileDiff,
    FinalCommit,
    GitError,
    Hunk,
    MergeConflict,
    MergedTree,
    NotFastForward,
    Person,
    check_project,
    person,
)
from .program import environment, git_output
from .program import run as run_git
from .stores import Speculation
from .writing import Repositories

__all__ = [
    "EMPTY_TREE",
    "ZERO",
    "CommitInfo",
    "DiffLine",
    "FileChange",
    "FileDiff",
    "FinalCommit",
    "GitError",
    "Hunk",
    "Incoming",
    "MergeConflict",
    "MergedTree",
    "NotFastForward",
    "Person",
    "Repositories",
    "Speculation",
    "brought_files",
    "check_project",
    "environment",
    "git_output",
    "missing_parent",
    "person",
    "run_git",
]
