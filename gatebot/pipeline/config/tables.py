# SPDX-License-Identifier: Apache-2.0
"""Every attribute of every object of the language: kind, default, what it does, whether gatebot acts on it.

Data only; `schema.py` checks with it, `docs/config.md` is made from it. An attribute of Zuul that is not acted on is
refused (`only=()`, or `only` the values that change nothing), never ignored, unless ignoring it is harmless.
"""

from __future__ import annotations

from .schema import Decimal, Either, Field, Flag, Many, Null, Number, OneOf, Regex, Table, Text, Vars

_TEXTS = Many(Text())
_REGEXES = Many(Regex())
_NAME = Field(Text(), "What it is called.", required=True)
_DESCRIPTION = Field(Text(), "For readers.")

_PLAYBOOK = {
    "name": Field(Text("path"), "The file, from the root of the repository.", required=True),
    "semaphores": Field(_TEXTS, "Held while the playbook runs.", only=()),
}
_CLEANUP = Field(Flag(), "Run it even when the job is aborted.", default="false", only=(False,))
_PLAYBOOKS = Many(Either((Text("path"), Table(_PLAYBOOK))))
_POST_PLAYBOOKS = Many(Either((Text("path"), Table({**_PLAYBOOK, "cleanup": _CLEANUP}))))

_NODE = Table(
    {
        "name": Field(_TEXTS, "The host's name or names in the inventory.", required=True),
        "label": Field(Text(), "Which kind of node, as the site's settings name it.", required=True),
        "arch": Field(Text(), "The architecture that is demanded: `x86_64`, `arm64` ...", ours=True),
        "execution": Field(
            OneOf(("native", "kvm", "emulated-user", "emulated-system")), "How it may be executed.", ours=True
        ),
    }
)
_GROUP = Table(
    {
        "name": Field(Text(), "The group's name in the inventory.", required=True),
        "nodes": Field(_TEXTS, "Names of nodes of this nodeset.", required=True),
    }
)
_INLINE_NODESET = {
    "nodes": Field(Many(_NODE), "The nodes."),
    "groups": Field(Many(_GROUP), "Groups of them."),
}
NODESET = Table(
    {
        "name": _NAME,
        **_INLINE_NODESET,
        "alternatives": Field(
            Many(Either((Text(), Table(_INLINE_NODESET)))), "Nodesets that are tried in this order.", only=()
        ),
    }
)

_CONTROLLED = (
    "requires", "provides", "tags", "files", "irrelevant-files", "required-projects", "include-projects",
    "exclude-projects", "vars", "extra-vars", "host-vars", "group-vars", "include-vars", "dependencies",
    "failure-output", "type", "pre-run", "run", "post-run", "voting",
)  # fmt: skip
_FINAL = Table({"final": Field(Flag(), "Nobody may set it again.", only=(True, False))})
_PROJECT_CHOICE = Table(
    {"type": Field(OneOf(("name", "change", "item")), ""), "name": Field(Text(), "")},
)

# What a job may say; the same below a project's pipeline, without the name.
JOB_ATTRIBUTES: dict[str, Field] = {
    "parent": Field(Either((Text(), Null())), "The job to inherit from; null makes a base job.", default="`base`"),
    "description": _DESCRIPTION,
    "variant-description": Field(Text(), "For readers, of this variant."),
    "run": Field(_PLAYBOOKS, "Playbooks (`.yaml`, `.yml`) or, ours, executable scripts. Replaces the parent's."),
    "pre-run": Field(_PLAYBOOKS, "Run before, outermost parent first; a failure is repeated up to `attempts`."),
    "post-run": Field(_POST_PLAYBOOKS, "Run after, innermost first, whatever the result."),
    "cleanup-run": Field(_PLAYBOOKS, "Run last, also when the job was aborted. Zuul has deprecated it."),
    "nodeset": Field(Either((Text(), Table({**NODESET.fields, "name": Field(Text(), "")}))), "A nodeset, or its name."),
    "timeout": Field(Number(0), "Seconds for `pre-run` and `run` together.", default="none"),
    "pre-timeout": Field(Number(0), "Seconds for `pre-run`, within `timeout`.", default="none"),
    "post-timeout": Field(Number(0), "Seconds for each `post-run` playbook.", default="none"),
    "attempts": Field(Number(1), "How often a job starts whose pre-run failed or whose node was lost.", default="3"),
    "voting": Field(Flag(), "Whether its result counts.", default="true"),
    "files": Field(Many(Regex(), merges=True), "It runs when a changed file matches. A variant's list replaces."),
    "irrelevant-files": Field(Many(Regex(), merges=True), "It does not run when every changed file matches."),
    "match-on-config-updates": Field(
        Flag(), "Run it, whatever `files` say, when the change alters the job.", default="true"
    ),
    "branches": Field(_REGEXES, "Branches that this variant is for.", default="implied by where it is written"),
    "dependencies": Field(
        Many(
            Either(
                (
                    Text(),
                    Table(
                        {
                            "name": Field(Text(), "The job.", required=True),
                            "soft": Field(Flag(), "Only if it runs.", default="false"),
                        }
                    ),
                )
            ),
            merges=True,
        ),
        "Jobs that must succeed first.",
    ),
    "required-projects": Field(
        Many(
            Either(
                (
                    Text(),
                    Table(
                        {
                            "name": Field(Text(), "The project.", required=True),
                            "override-checkout": Field(Text(), "The branch or tag to check out."),
                            "override-branch": Field(Text(), "Old name of `override-checkout`."),
                        }
                    ),
                )
            ),
            merges=True,
        ),
        "Other repositories in the workspace, in the speculative state. Merged with the parent's.",
    ),
    "override-checkout": Field(Text(), "The branch or tag to check out in every repository of the job."),
    "override-branch": Field(Text(), "Old name of `override-checkout`."),
    "vars": Field(Vars(), "Variables for playbooks and scripts, merged deeply with the parent's."),
    "extra-vars": Field(Vars(), "As `vars`, with Ansible's highest precedence.", only=()),
    "host-vars": Field(Vars(nested=True), "Variables by node.", only=()),
    "group-vars": Field(Vars(nested=True), "Variables by group.", only=()),
    "include-vars": Field(
        Many(
            Either(
                (
                    Text(),
                    Table(
                        {
                            "name": Field(Text(), "", required=True),
                            "project": Field(Text(), ""),
                            "zuul-project": Field(Flag(), ""),
                            "required": Field(Flag(), ""),
                            "use-ref": Field(Flag(), ""),
                        }
                    ),
                )
            ),
            merges=True,
        ),
        "Variables from files in repositories.",
        only=(),
    ),
    "roles": Field(
        Many(
            Either(
                (
                    Table({"zuul": Field(Text(), "A project.", required=True), "name": Field(Text(), "")}),
                    Table({"galaxy": Field(Text(), "", required=True, only=()), "name": Field(Text(), "")}),
                )
            )
        ),
        "Projects whose `roles/` playbooks may use, besides the job's own.",
    ),
    "semaphores": Field(
        Many(
            Either(
                (
                    Text(),
                    Table(
                        {
                            "name": Field(Text(), "The semaphore.", required=True),
                            "resources-first": Field(Flag(), "Get nodes first.", default="false", only=(False,)),
                        }
                    ),
                )
            )
        ),
        "Held while the job runs.",
    ),
    "semaphore": Field(Text(), "Old form of `semaphores`."),
    "failure-output": Field(
        Many(Text(), merges=True), "RE2 expressions; a console line that matches fails the build at once."
    ),
    "secrets": Field(
        Many(
            Either(
                (
                    Text(),
                    Table(
                        {
                            "name": Field(Text(), "The variable.", required=True),
                            "secret": Field(Text(), "The secret.", required=True),
                            "pass-to-parent": Field(Flag(), "", default="false"),
                        }
                    ),
                )
            )
        ),
        "Secrets for the job's own playbooks.",
        only=(),
    ),
    "secret-exposure": Field(OneOf(("ignore", "redact", "fail")), "When a secret is in the output.", only=("ignore",)),
    "abstract": Field(Flag(), "Only to inherit from.", default="false"),
    "final": Field(Flag(), "What it does may not be changed any more.", default="false"),
    "protected": Field(Flag(), "Only jobs of the same project may inherit from it.", default="false"),
    "intermediate": Field(Flag(), "Only abstract jobs may inherit from it.", default="false"),
    "attribute-control": Field(
        Table({name: Field(_FINAL, "") for name in _CONTROLLED}), "`{attribute: {final: true}}`: as `final`."
    ),
    "allowed-projects": Field(_TEXTS, "Projects that may run it; each variant only narrows."),
    "post-review": Field(Flag(), "Only in pipelines after review; once true, always.", default="false"),
    "hold-following-changes": Field(Flag(), "Nothing behind starts before it has passed.", default="false"),
    "success-message": Field(Text(), "Accepted; reports say the result.", default="SUCCESS"),
    "failure-message": Field(Text(), "Accepted; reports say the result.", default="FAILURE"),
    "success-url": Field(Text(), "Accepted; has no effect, as in Zuul."),
    "failure-url": Field(Text(), "Accepted; has no effect, as in Zuul."),
    "tags": Field(Many(Text(), merges=True), "Words for readers of the configuration."),
    "ansible-version": Field(Either((Text(), Decimal())), "Accepted; the site has one version of Ansible."),
    "ansible-split-streams": Field(Flag(), "Keep stdout and stderr apart.", default="false", only=(False,)),
    "inputs": Field(_TEXTS, "Paths that the job reads; the strategy `classic` has no use for it.", ours=True),
    "deduplicate": Field(
        Either((Flag(), OneOf(("auto",)))), "Share the run within a dependency cycle.", default="auto"
    ),
    "provides": Field(Many(Text(), merges=True), "Artifacts for jobs of changes behind.", only=()),
    "requires": Field(Many(Text(), merges=True), "Artifacts of jobs of changes ahead.", only=()),
    "include-projects": Field(
        Many(Either((Text(), _PROJECT_CHOICE)), merges=True), "Changes of which projects the job sees.", only=()
    ),
    "exclude-projects": Field(
        Many(Either((Text(), _PROJECT_CHOICE)), merges=True), "Changes of which projects it does not see.", only=()
    ),
    "workspace-scheme": Field(OneOf(("golang", "flat", "unique")), "Paths of the workspace.", only=("golang",)),
    "workspace-checkout": Field(
        Either((Flag(), OneOf(("auto",)))), "Whether files are checked out.", only=(True, "auto")
    ),
    "type": Field(OneOf(("regular", "initializer", "reporter")), "When it runs.", only=("regular",)),
    "image-build-name": Field(Text(), "The image that the job builds.", only=()),
    "preserve-home-paths": Field(_TEXTS, "Files kept between playbooks.", only=()),
}
JOB = Table({"name": _NAME, **JOB_ATTRIBUTES})

# The attributes of a listed job are checked one by one, by `parse.py`, so that one mistake drops one job.
_LISTED_JOB = Either((Text("job"), Vars(free=True)))
PROJECT_PIPELINE = Table(
    {
        "jobs": Field(Many(_LISTED_JOB, strict=True), "Jobs, in order; `{job: attributes}` adds to one."),
        "debug": Field(Flag(), "Accepted; gatebot always says why a job does not run.", default="false"),
        "fail-fast": Field(Flag(), "The first failure of a voting job ends the others.", default="false"),
        "parameters": Field(Many(Vars(free=True)), "Typed parameters of a manual enqueue.", only=()),
    }
)
PROJECT_TEMPLATE = Table(
    {
        "name": _NAME,
        "description": _DESCRIPTION,
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
        "branches": Field(_REGEXES, "Branches that this stanza is for.", default="implied by where it is written"),
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
        "name": _NAME,
        "type": Field(
            OneOf(("all-branches", "per-branch", "branch-assigned")), "What branches share.", default="all-branches"
        ),
        "per-branch": Field(Flag(), "Old form of `type: per-branch`.", default="false"),
        "allow-circular-dependencies": Field(Flag(), "Changes may need each other.", default="false", only=(False,)),
        "dependencies-by-topic": Field(Flag(), "Changes of a topic need each other.", default="false", only=(False,)),
    }
)
SEMAPHORE = Table({"name": _NAME, "max": Field(Number(1), "How many may hold it.", default="1")})
PRAGMA = Table(
    {
        "implied-branch-matchers": Field(Flag(), "Whether jobs of this file are for the file's branch only."),
        "implied-branches": Field(_REGEXES, "The branches that jobs and templates of this file are for."),
    }
)
SECRET = Table(
    {
        "name": _NAME,
        "data": Field(Vars(free=True), "Values, `!encrypted/pkcs1-oaep` or plain."),
        "oidc": Field(Either((Vars(free=True), Null())), "An OpenID Connect token.", only=()),
    }
)
