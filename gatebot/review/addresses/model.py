# SPDX-License-Identifier: Apache-2.0
"""Where an address of Gerrit's pages leads here: those that do not name a change.

Pure. What has no page of its own here leads to the one that tells most of it.
"""

from __future__ import annotations

import re
from urllib.parse import quote

_COUNT = re.compile(r"(.*\D),(\d{1,6})", re.DOTALL)
_LINE = re.compile(r"(.+)@([ab]?)(\d{1,7})", re.DOTALL)
_PAGES = (
    ("rest-api", "/openapi.json"), ("user-search", "/q/status:open"), ("user-dashboards", "/dashboard/self"),
    ("user-attention-set", "/dashboard/self"), ("user-inline-edit", "/dashboard/self"), ("user-notify", "/settings"),
    ("user-upload", "/projects"), ("error-", "/projects"), ("cmd-hook-commit-msg", "/tools/hooks/commit-msg"),
    ("user-review-ui", "/q/status:open"), ("intro-project-owner", "/projects"), ("project-configuration", "/projects"),
)  # fmt: skip
_ONE = re.compile(r"\d{1,9}|I[0-9a-f]{4,40}|[0-9a-f]{7,40}")


def administered(rest: str) -> str:
    """Below `/admin/`: repositories have pages, the rest is REST or the command line."""
    kind, _, name = rest.strip("/").partition("/")
    if kind not in ("repos", "projects") or not name or name.startswith("q/"):
        return "/projects"
    return f"/project/{quote(name.split(',')[0].strip('/'), safe='/')}"


def signing_in(rest: str) -> str:
    """`/login/PATH`; Gerrit's paths begin with `#` where a browser made them."""
    return f"/login?next={quote('/' + rest.lstrip('/#'), safe='/')}"


def query_and_start(query: str) -> tuple[str, int]:
    """A query with the place in its list from which on it is shown, as Gerrit writes it: `status:open,25`."""
    found = _COUNT.fullmatch(query)
    return (found[1], int(found[2])) if found else (query, 0)


def names_one(query: str) -> bool:
    """Whether somebody looks for one change: by its number, Change-Id or commit."""
    return _ONE.fullmatch(query.strip()) is not None


def line_of(file: str) -> tuple[str, str]:
    """The file and the line that an address names together, as Gerrit wrote them before it put lines behind a `#`.

    `a.py@5` is line 5, `a.py@b5` that of the other side; the line is as it stands behind the `#`, empty: none.
    """
    found = _LINE.fullmatch(file)
    return (found[1], f"{'b' if found[2] else ''}{found[3]}") if found else (file, "")


def documented(rest: str) -> str:
    """`/Documentation/PAGE.html`: where what it tells of is found here."""
    page = rest.strip("/").lower()
    return next((path for begins, path in _PAGES if page.startswith(begins)), "/")
