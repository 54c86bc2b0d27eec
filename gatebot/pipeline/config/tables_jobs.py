# SPDX-License-Identifier: Apache-2.0
"""Every attribute of a job and of a nodeset: kind, default, what it does.

Data only, like `tables.py`. What one definition may say, and how it is merged with what it inherits, is in `draft.py`.
"""

from __future__ import annotations

from ...architectures import ANY, Execution
from .schema import IDENTIFIER, Decimal, Either, Field, Flag, Many, Null, Number, OneOf, Regex, Table, Text, Vars

TEXTS = Many(Text())
REGEXES = Many(Regex())
NAME = Field(Text(), "What it is called.", required=True)
DESCRIPTION = Field(Text(), "For readers.")

_PLAYBOOK = {
    "name": Field(Text("path"), "The file, from the root of the repository.", required=True),
    "semaphores": Field(TEXTS, "Held while the playbook runs."),
}
_CLEANUP = Field(Flag(), "Run it even when the job is aborted.", default="false")
_PLAYBOOKS = Many(Either((Text("path"), Table(_PLAYBOOK))))
_POST_PLAYBOOKS = Many(Either((Text("path"), Table({**_PLAYBOOK, "cleanup": _CLEANUP}))))

_EXECUTION = OneOf((*Execution, ANY))
_NODE = Table(
    {
        "name": Field(TEXTS, "The host's name or names in the inventory.", required=True),
        "label": Field(Text(), "Which kind of node, as the site's settings name it.", required=True),
        "arch": Field(Text(), "The architecture that is demanded: `x86_64`, `arm64` ...", ours=True),
        "execution": Field(_EXECUTION, "How it may be executed; without it, as its provider does best.", ours=True),
    }
)
_GROUP = Table(
    {
        "name": Field(Text(), "The group's name in the inventory.", required=True),
        "nodes": Field(TEXTS, "Names of nodes of this nodeset.", required=True),
    }
)
_INLINE_NODESET = {
    "nodes": Field(Many(_NODE), "The nodes."),
    "groups": Field(Many(_GROUP), "Groups of them."),
}
NODESET = Table(
    {
        "name": NAME,
        **_INLINE_NODESET,
        "alternatives": Field(
            Many(Either((Text(), Table(_INLINE_NODESET))), strict=True),
            "Instead of `nodes`: nodesets, named or written out, that are tried in this order.",
        ),
    }
)

CONTROLLED = (
    "requires", "provides", "tags", "files", "irrelevant-files", "required-projects", "include-projects",
    "exclude-projects", "vars", "extra-vars", "host-vars", "group-vars", "include-vars", "dependencies",
    "failure-output", "type", "pre-run", "run", "post-run", "voting",
)  # fmt: skip
_FINAL = Table({"final": Field(Flag(), "Nobody may set it again.")})
_SEMAPHORE = Either(
    (
        Text(),
        Table(
            {
                "name": Field(Text(), "The semaphore.", required=True),
                "resources-first": Field(Flag(), "Get nodes first, then the semaphore.", default="false"),
            }
        ),
    )
)
_PROJECT_CHOICES = Many(
    Either(
        (
            Text(),
            Table(
                {
                    "type": Field(OneOf(("name", "change", "item")), "", default="name"),
                    "name": Field(Text(), "The project, of `type: name`."),
                }
            ),
        )
    ),
    merges=True,
)
_INCLUDE_VARS = Table(
    {
        "name": Field(Text("path"), "The file.", required=True),
        "project": Field(Text(), "The project that has it.", default="the job's"),
        "zuul-project": Field(Flag(), "The project of the item has it.", default="false"),
        "required": Field(Flag(), "Whether it must be there.", default="true"),
        "use-ref": Field(Flag(), "Of `zuul-project`: the speculative state, not what is merged.", default="true"),
    }
)
_DEPENDENCY = Table(
    {
        "name": Field(Text(), "The job.", required=True),
        "soft": Field(Flag(), "Only if it runs.", default="false"),
    }
)
_REQUIRED_PROJECT = Table(
    {
        "name": Field(Text(), "The project.", required=True),
        "override-checkout": Field(Text(), "The branch or tag to check out."),
        "override-branch": Field(Text(), "Old name of `override-checkout`."),
    }
)
_SECRET_USE = Table(
    {
        "name": Field(Text("name of a variable", IDENTIFIER), "The variable.", required=True),
        "secret": Field(Text(), "The secret.", required=True),
        "pass-to-parent": Field(Flag(), "Give it to the parents' playbooks too.", default="false"),
    }
)
_ROLE = Either(
    (
        Table({"zuul": Field(Text(), "A project.", required=True), "name": Field(Text(), "")}),
        Table({"galaxy": Field(Text(), "", required=True), "name": Field(Text(), "")}),
    )
)

# What a job may say; the same below a project's pipeline, without the name.
JOB_ATTRIBUTES: dict[str, Field] = {
    "parent": Field(Either((Text(), Null())), "The job to inherit from; null makes a base job.", default="`base`"),
    "description": DESCRIPTION,
    "variant-description": Field(Text(), "For readers, of this variant."),
    "run": Field(_PLAYBOOKS, "Playbooks (`.yaml`, `.yml`) or, ours, executable scripts. Replaces the parent's."),
    "pre-run": Field(_PLAYBOOKS, "Run before, outermost parent first; a failure is repeated up to `attempts`."),
    "post-run": Field(_POST_PLAYBOOKS, "Run after, innermost first, whatever the result."),
    "cleanup-run": Field(_PLAYBOOKS, "Run last, also when the job was aborted. Zuul has deprecated it."),
    "nodeset": Field(Either((Text(), Table({**NODESET.fields, "name": Field(Text(), "")}))), "A nodeset, or its name."),
    "arch": Field(
        Text(), "The architecture of all its nodes, where these do not say: `x86_64`, `arm64` ...", ours=True
    ),
    "execution": Field(_EXECUTION, "How all its nodes come by it, where these do not say.", ours=True),
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
    "branches": Field(REGEXES, "Branches that this variant is for.", default="implied by where it is written"),
    "dependencies": Field(
        Many(Either((Text(), _DEPENDENCY)), merges=True), "Jobs that must succeed first. A variant's list replaces."
    ),
    "required-projects": Field(
        Many(Either((Text(), _REQUIRED_PROJECT)), merges=True),
        "Other repositories in the workspace, in the speculative state. Added to the parent's.",
    ),
    "include-projects": Field(
        _PROJECT_CHOICES, "Of the projects of the workspace, those that are prepared. Added to the parent's."
    ),
    "exclude-projects": Field(
        _PROJECT_CHOICES, "Of the projects of the workspace, those that are not. Added to the parent's."
    ),
    "override-checkout": Field(Text(), "The branch or tag to check out in every repository of the job."),
    "override-branch": Field(Text(), "Old name of `override-checkout`."),
    "vars": Field(Vars(), "Variables for playbooks and scripts, merged deeply with the parent's."),
    "extra-vars": Field(Vars(), "As `vars`, with Ansible's highest precedence."),
    "host-vars": Field(Vars(nested=True), "Variables by node, merged deeply with the parent's."),
    "group-vars": Field(Vars(nested=True), "Variables by group, merged deeply with the parent's."),
    "include-vars": Field(
        Many(Either((Text("path"), _INCLUDE_VARS)), merges=True),
        "Variables from files in repositories. Added to the parent's.",
    ),
    "roles": Field(
        Many(_ROLE),
        "Projects whose `roles/` playbooks may use, besides the job's own. `{galaxy: ...}` is accepted and, as in"
        " Zuul, has no effect.",
    ),
    "semaphores": Field(Many(_SEMAPHORE), "Held while the job runs. Added to the parent's."),
    "semaphore": Field(_SEMAPHORE, "Old form of `semaphores`."),
    "failure-output": Field(
        Many(Text(), merges=True), "RE2 expressions; a console line that matches fails the build at once."
    ),
    "secrets": Field(
        Many(Either((Text(), _SECRET_USE))),
        "Secrets of this repository for the playbooks of this definition. In a project that is not a config project"
        " they make the job one for after review, and for its own project.",
    ),
    "secret-exposure": Field(
        OneOf(("ignore", "redact", "fail")), "What is done when a secret is in what the job returns.", default="ignore"
    ),
    "abstract": Field(Flag(), "Only to inherit from.", default="false"),
    "final": Field(Flag(), "What it does may not be changed any more.", default="false"),
    "protected": Field(Flag(), "Only jobs of the same project may inherit from it.", default="false"),
    "intermediate": Field(Flag(), "Only abstract jobs may inherit from it.", default="false"),
    "attribute-control": Field(
        Table({name: Field(_FINAL, "") for name in CONTROLLED}),
        "`{attribute: {final: true}}`: as `final`, for one attribute.",
    ),
    "allowed-projects": Field(TEXTS, "Projects that may run it; each variant only narrows."),
    "post-review": Field(Flag(), "Only in pipelines after review; once true, always.", default="false"),
    "hold-following-changes": Field(Flag(), "Nothing behind starts before it has passed.", default="false"),
    "success-message": Field(Text(), "What reports say of its success.", default="SUCCESS"),
    "failure-message": Field(Text(), "What reports say of its failure.", default="FAILURE"),
    "success-url": Field(Text(), "Accepted; has no effect, as in Zuul."),
    "failure-url": Field(Text(), "Accepted; has no effect, as in Zuul."),
    "tags": Field(Many(Text(), merges=True), "Words for readers and for roles. Added to the parent's."),
    "ansible-version": Field(
        Either((Text(), Decimal())),
        "9 or 11, as in Zuul 14; another one is an error. Jobs run with the site's own Ansible whichever they name.",
        default="the tenant's",
    ),
    "ansible-split-streams": Field(Flag(), "Accepted; the streams are always apart.", default="false"),
    "inputs": Field(TEXTS, "Paths that the job reads; the strategy `classic` has no use for it.", ours=True),
    "deduplicate": Field(
        Either((Flag(), OneOf(("auto",)))), "Share the run within a dependency cycle.", default="auto"
    ),
    "provides": Field(Many(Text(), merges=True), "Artifacts for jobs of changes behind. Added to the parent's."),
    "requires": Field(Many(Text(), merges=True), "Artifacts of jobs of changes ahead. Added to the parent's."),
    "workspace-scheme": Field(
        OneOf(("golang", "flat", "unique")),
        "Where a repository stands below `src/`: `HOST/PATH`, its last name alone, or its path in one name.",
        default="golang",
    ),
    "workspace-checkout": Field(
        Either((Flag(), OneOf(("auto",)))),
        "Whether all files are checked out, or only what playbooks need; `auto`: all where there are no nodes.",
        default="true",
    ),
    "type": Field(
        OneOf(("regular", "initializer", "reporter")),
        "`initializer`: before all others, which depend on it; `reporter`: after the report.",
        default="regular",
    ),
    "image-build-name": Field(Text(), "The image that the job builds; it must be one of the same project."),
    "preserve-home-paths": Field(TEXTS, "Accepted; the home is one for the whole build."),
}
ARCH_POLICY = Table(
    {
        "voting": Field(Flag(), "Whether the result on it counts.", default="the job's"),
        "execution": Field(_EXECUTION, "How its nodes come by it.", default="the job's"),
        "timeout": Field(Number(0), "Seconds for `pre-run` and `run` together.", default="the job's"),
    }
)
JOB = Table(
    {
        "name": NAME,
        **JOB_ATTRIBUTES,
        "matrix": Field(
            Vars(),
            "Lists of values by name: the job stands for one job for each combination, `NAME-VALUE-VALUE`, with the "
            "values as variables. `arch` is the architecture of the nodes, too.",
            ours=True,
        ),
        "exclude": Field(Many(Vars()), "Combinations of the matrix that are left out.", ours=True),
        "arch-policy": Field(Vars(), "What differs on an architecture of the matrix, see below.", ours=True),
    }
)
