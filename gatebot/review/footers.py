# SPDX-License-Identifier: Apache-2.0
"""The numbers of changes in the addresses that people write, in all of Gerrit's shapes.

Pure text work. Whether an address is this site's, and what it names, `change_of` decides from the
site's own address; `store.py` keeps the footers of every patch set so that both ends can be asked.
"""

from __future__ import annotations

from itertools import takewhile


def number_in(address: str) -> int | None:
    """The number of the change that an address names (a patch set behind it is skipped), whichever site it is of."""
    parts = [part for part in address.partition("?")[0].split("/") if part]
    # `c/PROJECT/+/N/PS` says where the number is; elsewhere it is the first of the numbers at the end.
    last = parts[parts.index("+") + 1 :][:1] if "+" in parts else list(takewhile(str.isdecimal, reversed(parts)))[-1:]
    return int(last[0]) if last and last[0].isdecimal() and len(last[0]) < 10 else None


def change_of(address: str, site: str) -> int | None:
    """The change that an address of this site names: `SITE/N`, `SITE/#/c/N`, `SITE/c/PROJECT/+/N[/PS]`, or a bare N."""
    if "/" not in address:
        return number_in(address)
    root = _without_scheme(site)
    rest = _without_scheme(address)
    if not rest.startswith(root):
        return None
    return number_in("/" + rest[len(root) :].lstrip("/"))


def _without_scheme(address: str) -> str:
    """The rest of an address behind `https://`, so that a site behind a proxy is recognised by either scheme."""
    return address.partition("://")[2].rstrip("/") if "://" in address else address.rstrip("/")
