# SPDX-License-Identifier: Apache-2.0
"""`gatebot meeting ...`: minutes from a log, without a server."""

from __future__ import annotations

import click


@click.group()
def meeting() -> None:
    """Meetings and their minutes."""
