# SPDX-License-Identifier: Apache-2.0
"""Configuration as it may be shown: every option that holds a credential says that it is set, and no more.

Pure. Options are known by their names, and passwords in addresses by the shape of an address.
"""

from __future__ import annotations

import re

_OPTION = re.compile(
    r"(?im)^(?P<name>[^\S\n]*[\w.-]*(?:password|secret|token_hash|private_key|hash_path_suffix)[\w.-]*\s*[=:]\s*)(?P<value>\S.*)$"
)
_ADDRESS = re.compile(r"(?P<before>\w+://[^\s:@/]*:)[^\s@/]+(?=@)")
HIDDEN = "***"


def masked(text: str) -> str:
    """The text of a configuration file without credentials."""
    return _ADDRESS.sub(lambda found: found["before"] + HIDDEN, _OPTION.sub(lambda found: found["name"] + HIDDEN, text))
