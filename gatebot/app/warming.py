# SPDX-License-Identifier: Apache-2.0
"""Makes ready what the first reader of a page would wait for: compiled templates, readers of source texts.

Only of the pages that are opened most, on a thread of its own, and not before the site has been up for a moment:
who starts a site to do one thing with it does not pay for pages.
"""

from __future__ import annotations

import asyncio

from ..review.diffs import colours
from ..site import Site

_AFTER = 1.5
PAGES = (
    "base.html", "macros.html", "notices.html", "home.html", "review/parts.html", "review/threads.html",
    "review/dashboard.html", "review/changes.html", "review/change.html", "review/diff.html",
)  # fmt: skip


async def warm(site: Site) -> None:
    """Wait, then make them."""
    await asyncio.sleep(_AFTER)
    await asyncio.to_thread(site.prepare, PAGES)
    await asyncio.to_thread(colours.prepare)
