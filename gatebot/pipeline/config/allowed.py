# SPDX-License-Identifier: Apache-2.0
"""What the tenant, the pipelines and the review server allow: connections, labels, tokens, parameters, merge modes.

Each finding is a reason and a word by which its line is found in the stanza. Pure, on a layout that is being built.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...reasons import Reason, reason
from .layout import Layout
from .model import PipelineConfig
from .objects import Nodeset, ProjectConfig, Secret


def connection_problems(layout: Layout, pipeline: PipelineConfig) -> Iterator[tuple[Reason, str]]:
    """Connections of a pipeline that its tenant does not allow."""
    triggers = {one.connection for one in (*pipeline.triggers, *pipeline.timers, *pipeline.zuul_triggers)}
    told = {one.connection for reporters in pipeline.reporters.values() for one in reporters}
    for use, names, allowed in (
        ("trigger", triggers, layout.tenant.allowed_triggers),
        ("reporter", told, layout.tenant.allowed_reporters),
    ):
        for name in sorted(names) if allowed is not None else ():
            if name not in (allowed or ()):
                listed = ", ".join(allowed or ()) or "-"
                yield reason("config.connection-not-allowed", connection=name, use=use, allowed=listed), name


def superceded_problems(layout: Layout, pipeline: PipelineConfig) -> Iterator[tuple[Reason, str]]:
    """Pipelines that it supercedes and that are not there."""
    for name in pipeline.supercedes:
        if name not in layout.pipelines:
            yield reason("config.unknown-superceded", pipeline=pipeline.name, other=name), name


def label_problems(layout: Layout, nodeset: Nodeset) -> Iterator[tuple[Reason, str]]:
    """Node labels of a nodeset, and of those that stand in it, that may not be asked for."""
    tenant = layout.tenant
    inner = [one for one in nodeset.alternatives if isinstance(one, Nodeset)]
    for label in dict.fromkeys(node.label for one in (nodeset, *inner) for node in one.nodes):
        if tenant.use_nodepool and not tenant.allows_label(label):
            yield reason("config.label-not-allowed", label=label), label
        elif not (tenant.use_nodepool or label in layout.labels or label in tenant.site_labels):
            yield reason("config.unknown-label", label=label), label


def secret_problems(layout: Layout, secret: Secret) -> Iterator[tuple[Reason, str]]:
    """What a tenant does not allow of tokens."""
    asked, tenant = secret.oidc or {}, layout.tenant
    ttl, issuer = asked.get("ttl", tenant.default_oidc_ttl), asked.get("iss")
    if secret.oidc is not None and isinstance(ttl, int) and ttl > tenant.max_oidc_ttl:
        yield reason("config.oidc-ttl", secret=secret.name, ttl=ttl, limit=tenant.max_oidc_ttl), "ttl"
    if asked.get("algorithm", "RS256") != "RS256":
        yield reason("config.oidc-algorithm", secret=secret.name), "algorithm"
    if issuer and issuer not in tenant.allowed_oidc_issuers:
        yield reason("config.oidc-issuer", secret=secret.name, issuer=str(issuer)), "iss"


def parameter_problems(layout: Layout, stanza: ProjectConfig) -> Iterator[tuple[Reason, str]]:
    """Parameters for pipelines that take none."""
    for name, part in stanza.pipelines.items():
        pipeline = layout.pipelines.get(name)
        if part.parameters and pipeline is not None and not pipeline.allow_parameters:
            yield reason("config.no-parameters-here", pipeline=name), "parameters:"


# What each submit type of the review server is in Zuul's words.
_MERGES = ("merge", "merge-resolve", "merge-recursive", "merge-ort")
MERGE_MODES = {
    "MERGE_IF_NECESSARY": _MERGES,
    "MERGE_ALWAYS": _MERGES,
    "FAST_FORWARD_ONLY": (*_MERGES, "rebase"),
    "CHERRY_PICK": ("cherry-pick",),
    "REBASE_IF_NECESSARY": ("rebase", "rebase-first-parent"),
    "REBASE_ALWAYS": ("rebase", "rebase-first-parent"),
}


def merge_mode_problems(layout: Layout, project: str, stanza: ProjectConfig) -> Iterator[tuple[Reason, str]]:
    """A merge mode that is not what the review server does; the submit type is the truth."""
    submit_type = layout.tenant.submit_types.get(project, "")
    fitting = MERGE_MODES.get(submit_type)
    if stanza.merge_mode and fitting is not None and stanza.merge_mode not in fitting:
        yield (
            reason(
                "config.merge-mode",
                project=project,
                mode=stanza.merge_mode,
                type=submit_type,
                fitting=", ".join(fitting),
            ),
            "merge-mode:",
        )
