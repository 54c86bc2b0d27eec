# SPDX-License-Identifier: Apache-2.0
"""The attributes of the objects of a tenant file: tenants, their projects, rules, roles, shared semaphores.

Data only, like `tables.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from .schema import Decimal, Either, Field, Flag, Many, Number, OneOf, Regex, Table, Text, Vars
from .tenant import CLASSES

_TEXTS = Many(Text())
_NAMES = Many(Regex())
_CLASSES = Many(OneOf(tuple(sorted(CLASSES - {"pragma"}))))
_NAME = Field(Text(), "What it is called.", required=True)
_PROTECTED = Field(Flag(), "Accepted; of code hosts that protect branches, which neither gatebot nor Gerrit does.")
_LOCKED = Field(Flag(), "Accepted; of code hosts that lock branches, which neither gatebot nor Gerrit does.")
_CYCLES = Field(Flag(), "Accepted; has no effect, as in Zuul: it is an attribute of queues.")

_LOADED = {
    "include": Field(_CLASSES, "Kinds of objects to load.", default="all, but nodes only of config projects"),
    "exclude": Field(_CLASSES, "Kinds of objects not to load."),
    "include-provider-config": Field(
        Flag(), "Load images, flavors, labels, sections and providers too.", default="false"
    ),
}
PROJECT_OPTIONS = Table(
    {
        **_LOADED,
        "shadow": Field(_TEXTS, "Projects whose jobs of the same name win."),
        "load-branch": Field(Text(), "The branch a config project is read from.", default="`HEAD`"),
        "allow-base-jobs": Field(Flag(), "Whether a config project may define jobs without a parent.", default="true"),
        "allow-reporter-jobs": Field(
            Flag(), "Whether it may list reporter jobs; config projects always may.", default="false"
        ),
        "configure-projects": Field(_NAMES, "Other projects that are no config projects and that it may configure."),
        "implied-branch-matchers": Field(Flag(), "Whether jobs are for their own branch only."),
        "include-branches": Field(_NAMES, "Branches to read configuration from, and no others."),
        "exclude-branches": Field(_NAMES, "Branches not to read configuration from."),
        "always-dynamic-branches": Field(
            _NAMES, "Branches whose configuration counts only for changes to them; it is not read with the others."
        ),
        "extra-config-paths": Field(_TEXTS, "More files, and directories (ending with `/`), to read."),
        "exclude-unprotected-branches": _PROTECTED,
        "exclude-locked-branches": _LOCKED,
        "allow-circular-dependencies": _CYCLES,
    }
)
GROUP = Table({**_LOADED, "projects": Field(Many(Either((Text("project"), Vars(free=True)))), "", required=True)})
_PROJECTS = Many(Either((Text("project"), Vars(free=True))))
_SOURCE = Table({"config-projects": Field(_PROJECTS, ""), "untrusted-projects": Field(_PROJECTS, "")})
_MAPPINGS = Table({}, rest=_TEXTS)
TENANT = Table(
    {
        "name": _NAME,
        "source": Field(Table({}, rest=_SOURCE), "`{connection: {config-projects, untrusted-projects}}`."),
        "default-parent": Field(Text(), "The parent of a job that names none.", default="`base`"),
        "max-nodes-per-job": Field(Number(), "-1: no limit.", default="5"),
        "max-job-timeout": Field(Number(), "Seconds; -1: no limit.", default="10800"),
        "max-dependencies": Field(Number(0), "How many other changes a change may need.", default="none"),
        "max-changes-per-pipeline": Field(Number(0), "How many changes a pipeline takes.", default="none"),
        "fail-closed": Field(Flag(), "Whether a job that cannot be loaded stops its item.", default="true", ours=True),
        "hosts": Field(_TEXTS, "Host names that may stand before project names.", ours=True),
        "default-ansible-version": Field(
            Either((Text(), Decimal())), "What jobs get that name none: 9 or 11; the site's own Ansible runs them."
        ),
        "allowed-triggers": Field(_TEXTS, "Connections that may trigger.", default="all"),
        "allowed-reporters": Field(_TEXTS, "Connections that may be told.", default="all"),
        "allowed-labels": Field(_NAMES, "Node labels that may be asked for.", default="all"),
        "disallowed-labels": Field(_NAMES, "Node labels that may not be asked for."),
        "use-nodepool": Field(
            Flag(), "With false, every label that is asked for must be a `label` object or in the settings."
        ),
        "semaphores": Field(_TEXTS, "Global semaphores that its jobs may use."),
        "exclude-unprotected-branches": _PROTECTED,
        "exclude-locked-branches": _LOCKED,
        "allow-circular-dependencies": _CYCLES,
        "web-root": Field(Text(), "Kept; links lead to the site's own address."),
        "report-build-page": Field(Flag(), "Accepted; reports always link to the build's page."),
        "admin-rules": Field(_TEXTS, "Kept: rules for those who rule the tenant."),
        "role-mappings": Field(_MAPPINGS, "Kept: `{rule: roles}`."),
        "authentication-realm": Field(Text(), "Kept; people sign in as the site's settings say."),
        "access-rules": Field(
            _TEXTS,
            "Who sees the tenant: refused, because everybody who may read a project sees its builds. Restrict reading"
            " of the projects instead.",
            only=(),
        ),
        "anonymous-read-access": Field(
            Flag(), "Whether everybody sees the tenant: as `access-rules`.", default="true", only=(True,)
        ),
        "max-oidc-ttl": Field(Number(1), "The longest life of a token, in seconds.", default="10800"),
        "default-oidc-ttl": Field(Number(1), "The life of a token that names none.", default="3600"),
        "allowed-oidc-issuers": Field(Many(Text()), "Issuers that a secret may name besides the site."),
    }
)
GLOBAL_SEMAPHORE = Table({"name": _NAME, "max": Field(Number(1), "How many may hold it.", default="1")})
RULE = Table(
    {
        "name": _NAME,
        "conditions": Field(
            Many(Vars(free=True)), "Mappings of claims: one of them must fit, with all of its claims.", required=True
        ),
    }
)
_CONDITIONAL = Either(
    (
        Flag(),
        Table(
            {"conditions": Field(Table({"project": Field(Text(), ""), "ref": Field(Text(), "")}), "", required=True)}
        ),
    )
)
_PERMISSIONS = (
    *("read", "promote", "set-tenant-state", "build-image", "upload-image", "delete-image-build-artifact"),
    *("delete-image-upload", "validate-image-upload", "modify-node", "modify-nodeset-request", "autohold"),
)
ROLE = Table(
    {
        "name": _NAME,
        "permissions": Field(
            Table(
                {
                    **{name: Field(Flag(), "") for name in _PERMISSIONS},
                    "enqueue": Field(_CONDITIONAL, ""),
                    "dequeue": Field(_CONDITIONAL, ""),
                }
            ),
            "What it allows; `enqueue` and `dequeue` also under `{conditions: {project, ref}}`.",
            required=True,
        ),
    }
)
API_ROOT = Table(
    {
        "authentication-realm": TENANT.fields["authentication-realm"],
        "role-mappings": TENANT.fields["role-mappings"],
        "access-rules": TENANT.fields["access-rules"],
        "anonymous-read-access": TENANT.fields["anonymous-read-access"],
    }
)
OBJECTS: Mapping[str, Table] = {
    "tenant": TENANT,
    "global-semaphore": GLOBAL_SEMAPHORE,
    "authorization-rule": RULE,
    "admin-rule": RULE,
    "role": ROLE,
    "api-root": API_ROOT,
}
