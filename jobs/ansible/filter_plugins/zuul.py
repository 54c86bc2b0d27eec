# Copyright The gatebot developers
#
# This program is free software: you can redistribute it and/or modify it under the terms of the GNU General
# Public License as published by the Free Software Foundation, either version 3 of the License, or (at your
# option) any later version. It is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY;
# see <https://www.gnu.org/licenses/> for details.
#
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that roles of Zuul's job library take for granted.

Loaded by ansible-playbook only, never by gatebot itself, which is why its licence is Ansible's.
"""

from __future__ import annotations

import ipaddress

WORKSPACE = "/home/zuul/workspace"


def ipwrap(value):
    """An address as it stands in a URL: that of IPv6 in brackets, with its prefix behind them."""
    address, slash, prefix = str(value).partition("/")
    try:
        return f"[{address}]{slash}{prefix}" if ipaddress.ip_address(address).version == 6 else value
    except ValueError:
        return value


def zuul_legacy_vars(zuul):
    """What jobs of Zuul 2 found in their environment."""
    found = {
        "ZUUL_UUID": zuul["build"],
        "ZUUL_PROJECT": zuul["project"]["name"],
        "ZUUL_SHORT_PROJECT_NAME": zuul["project"]["short_name"],
        "ZUUL_PIPELINE": zuul["pipeline"],
        "ZUUL_VOTING": zuul["voting"],
        "WORKSPACE": WORKSPACE,
    }
    if zuul.get("timeout") is not None:
        found["BUILD_TIMEOUT"] = str(int(zuul["timeout"]) * 1000)
    if "branch" in zuul:
        found["ZUUL_BRANCH"] = zuul["branch"]
    if "change" in zuul:
        items = zuul["items"]
        found["ZUUL_CHANGES"] = "^".join(f"{one['project']['name']}:{one['branch']}:{one['ref']}" for one in items)
        found["ZUUL_CHANGE_IDS"] = " ".join(f"{one['change']},{one['patchset']}" for one in items)
        found |= {"ZUUL_CHANGE": str(zuul["change"]), "ZUUL_PATCHSET": str(zuul["patchset"])}
    elif "newrev" in zuul or "oldrev" in zuul:
        found["ZUUL_REFNAME"] = zuul["ref"]
        found |= {f"ZUUL_{name.upper()}": zuul.get(name, "0" * 40) for name in ("oldrev", "newrev")}
    return {**found, "TOX_TESTENV_PASSENV": " ".join(found)}


class FilterModule:
    """The filters, by their names."""

    def filters(self):
        return {"ipwrap": ipwrap, "zuul_legacy_vars": zuul_legacy_vars}
