# SPDX-License-Identifier: Apache-2.0
"""What clients are tried on: a site of their own, as in stories."""

from __future__ import annotations

from tests.stories.conftest import builds, place, site, template, working_site

__all__ = ["builds", "place", "site", "template", "working_site"]
