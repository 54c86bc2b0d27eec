# SPDX-License-Identifier: Apache-2.0
"""Programs of this machine that tests talk to: found, or the test is left out and says what would bring them.

In CI a missing program is a failure: there set-up has installed everything.
"""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

# Debian keeps servers in /usr/sbin, which is not on everybody's PATH.
_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])


def need(program: str, package: str | None = None) -> str:
    """The path of a program; a test that cannot have it is left out."""
    return shutil.which(program, path=_PATH) or leave_out(program, package or program)


def leave_out(what: str, package: str) -> NoReturn:
    """End this test: something that it talks to is not on this machine."""
    sentence = f"{what} is not installed; `apt-get install {package}` brings it"
    if os.environ.get("CI"):
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)
