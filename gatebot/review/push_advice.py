# SPDX-License-Identifier: Apache-2.0
"""Which right is missing, in Gerrit's words: the lines below `error: branch ...`.

Text alone: who has which right `access.py` knows, and `push_says.py` prints these as they are, in every language,
because scripts look for them.
"""

from __future__ import annotations

READ = "You need 'Read' rights to fetch or clone this ref."
CREATE_CHANGE = (
    "You need 'Create Change' rights to upload code review requests.\nVerify that you are pushing to the right branch."
)
SUBMIT = "You need 'Submit' rights on refs/for/ to submit changes during change upload."
CREATE = "You need 'Create' rights to create new references."
CREATE_SIGNED_TAG = "You need 'Create Signed Tag' rights to push a signed tag."
CREATE_TAG = "You need 'Create Tag' rights to push a normal tag."
DELETE = "You need 'Delete Reference' rights or 'Push' rights with the \n'Force Push' flag set to delete references."
FORCE = "You need 'Push' rights with 'Force' flag set to do a non-fastforward push."
CONFIG = "Configuration changes can only be pushed by project owners\nwho also have 'Push' rights on refs/meta/config"
DELETE_CHANGES = "Cannot delete from 'refs/changes/'"
DELETE_CONFIG = "Cannot delete project configuration from 'refs/meta/config'"
SKIP_VALIDATION = (
    "You need 'Forge Author', 'Forge Server', 'Forge Committer'\nand 'Push Merge' rights to skip validation."
)


def update(ref: str) -> str:
    """For a branch that may not be moved past review."""
    if ref == "refs/meta/config":
        return CONFIG
    name = ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
    return f"Push to refs/for/{name} to create a review, or get 'Push' rights to update the branch."
