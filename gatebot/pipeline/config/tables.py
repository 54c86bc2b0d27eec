# SPDX-License-Identifier: Apache-2.0
"""Every attribute of the objects of the language but jobs and pipelines: kind, default, what it does.

Data only; `schema.py` checks with it, `docs/config.md` is made from it. An attribute of Zuul that is not acted on is
refused (`only=()`, or `only` the values that change nothing), never ignored, unless ignoring it is harmless.
"""

from __future__ import annotations

from .schema import IDENTIFIER, Decimal, Either, Field, Flag, Many, Null, Number, OneOf, Table, Text, Vars
from .tables_jobs import DESCRIPTION, NAME, REGEXES

# The attributes of a listed job are checked one by one, by `parse.py`, so that one mistake drops one job.
_LISTED_JOB = Either((Text("job"), Vars(free=True)))
_VALUE = Either((Text(), Flag(), Decimal()))
PARAMETER = Table(
    {
        "name": Field(Text("name of a variable", IDENTIFIER), "The variable that jobs get.", required=True),
        "type": Field(
            OneOf(("string", "selection", "multiple-selection", "bool")), "What may be given.", required=True
        ),
        "description": DESCRIPTION,
        "values": Field(Many(_VALUE, strict=True), "What a selection selects from."),
        "default": Field(Many(_VALUE), "What jobs get when nothing is given."),
        "required": Field(Flag(), "Whether it must be given.", default="false"),
    }
)
PROJECT_PIPELINE = Table(
    {
        "jobs": Field(Many(_LISTED_JOB, strict=True), "Jobs, in order; `{job: attributes}` adds to one."),
        "debug": Field(Flag(), "Accepted; gatebot always says why a job does not run.", default="false"),
        "fail-fast": Field(
            Flag(),
            "The first failure of a voting job ends the others. The first stanza that says it wins.",
            default="false",
        ),
        "parameters": Field(
            Many(PARAMETER), "Parameters of a manual enqueue, in a pipeline with `allow-parameters`. First wins."
        ),
    }
)
PROJECT_TEMPLATE = Table(
    {
        "name": NAME,
        "description": DESCRIPTION,
        "queue": Field(Text(), "The change queue that projects with this template share."),
        "vars": Field(Vars(), "Variables for all jobs of this stanza."),
    },
    rest=PROJECT_PIPELINE,
)
PROJECT = Table(
    {
        **PROJECT_TEMPLATE.fields,
        "name": Field(Text(), "The project, or an expression that begins with `^`.", default="this repository"),
        "templates": Field(Many(Text(), strict=True), "Project templates, in order."),
        "branches": Field(REGEXES, "Branches that this stanza is for.", default="implied by where it is written"),
        "merge-mode": Field(
            OneOf(
                (
                    *("merge", "merge-resolve", "merge-recursive", "merge-ort"),
                    *("cherry-pick", "squash-merge", "rebase", "rebase-first-parent"),
                )
            ),
            "Checked against the project's submit type, which decides.",
        ),
        "default-branch": Field(Text(), "The branch that jobs of other branches fall back to.", default="`HEAD`"),
    },
    rest=PROJECT_PIPELINE,
)

QUEUE = Table(
    {
        "name": NAME,
        "type": Field(
            OneOf(("all-branches", "per-branch", "branch-assigned")), "What branches share.", default="all-branches"
        ),
        "per-branch": Field(Flag(), "Old form of `type: per-branch`.", default="false"),
        "allow-circular-dependencies": Field(
            Flag(), "Changes may need each other: they are tested together, and all merge or none.", default="false"
        ),
        "dependencies-by-topic": Field(
            Flag(), "Changes of a topic need each other; with `allow-circular-dependencies` only.", default="false"
        ),
    }
)
SEMAPHORE = Table({"name": NAME, "max": Field(Number(1), "How many may hold it.", default="1")})
PRAGMA = Table(
    {
        "implied-branch-matchers": Field(Flag(), "Whether jobs of this file are for the file's branch only."),
        "implied-branches": Field(REGEXES, "The branches that jobs and templates of this file are for."),
    }
)
_OIDC = Table(
    {
        "ttl": Field(Number(1), "Seconds that the token lives."),
        "iss": Field(Text(), "Its issuer."),
        "algorithm": Field(Text(), "How it is signed."),
        "claims": Field(Vars(free=True), "More claims."),
    }
)
SECRET = Table(
    {
        "name": NAME,
        "data": Field(
            Vars(free=True),
            "Values: plain, `!encrypted/gatebot-sealed` (`gatebot secret encrypt`) or `!encrypted/pkcs1-oaep` (Zuul).",
        ),
        "oidc": Field(
            Either((_OIDC, Null())), "Instead of `data`: an OpenID Connect token, signed for each playbook (RS256)."
        ),
    }
)
