# SPDX-License-Identifier: Apache-2.0
"""A tenant's configuration from texts, for tests that need a layout and no git."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from textwrap import dedent

from gatebot.pipeline.config.build import build
from gatebot.pipeline.config.layout import Layout, Sources
from gatebot.pipeline.config.model import Location
from gatebot.pipeline.config.parse import parse_file
from gatebot.pipeline.config.tenant import Tenant, simple

PIPELINES = """
- pipeline:
    name: check
    manager: independent
    trigger: {gatebot: [{event: patchset-created}]}
    success: {gatebot: {Verified: 1}}
    failure: {gatebot: {Verified: -1}}
- pipeline:
    name: gate
    manager: dependent
    post-review: true
    trigger: {gatebot: [{event: comment-added, approval: [{Workflow: 1}]}]}
    success: {gatebot: {Verified: 2, submit: true}}
    failure: {gatebot: {Verified: -2}}
- job: {name: base, parent: null, run: base.yaml}
"""


def tenant_layout(files: Mapping[str, str], pipelines: str = PIPELINES, **changes: object) -> Layout:
    """A layout from `{"project": text}` or `{"project@branch": text}`; `config` is the one config project."""
    texts = {"config": pipelines, **files}
    branches: dict[str, list[str]] = {}
    parsed = {}
    for key, text in texts.items():
        project, _, branch = key.partition("@")
        branch = branch or "main"
        branches.setdefault(project, []).append(branch)
        body = dedent(text) if key != "config" else dedent(text) if "config" not in files else pipelines + dedent(text)
        parsed[project, branch] = (parse_file(body.encode(), Location(project, branch, "zuul.yaml")),)
    untrusted = tuple(name for name in branches if name != "config")
    tenant: Tenant = replace(simple("main", ("config",), untrusted), **changes)
    return build(tenant, Sources({name: tuple(found) for name, found in branches.items()}, parsed))
