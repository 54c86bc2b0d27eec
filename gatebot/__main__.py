# SPDX-License-Identifier: Apache-2.0
"""`python -m gatebot` is `gatebot`."""

from __future__ import annotations

from gatebot.cli import main

if __name__ == "__main__":
    main()
