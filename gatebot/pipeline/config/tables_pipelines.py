# SPDX-License-Identifier: Apache-2.0
"""The attributes of a pipeline; those of the connections that stand in it are in `tables_connections.py`.

Data only, like `tables.py`.
"""

from __future__ import annotations

from .schema import Either, Field, Flag, Many, Null, Number, OneOf, Table, Text, Vars

_TEXTS = Many(Text())
_STEP = OneOf(("linear", "exponential"))

_CONNECTED = Vars(free=True)
REPORTERS = (
    "enqueue",
    "start",
    "success",
    "failure",
    "merge-conflict",
    "no-jobs",
    "config-error",
    "dequeue",
    "disabled",
)
MESSAGES = {
    "success": "Build succeeded.",
    "failure": "Build failed.",
    "start": "Starting {pipeline.name} jobs.",
    "enqueue": "",
    "merge-conflict": "Merge failed.",
    "no-jobs": "",
    "dequeue": "Build canceled.",
    "footer": "",
}
_ADDRESSED = {name: Field(_CONNECTED, "`{connection: ...}`: who is told.") for name in REPORTERS}
_SAID = {
    f"{name}-message": Field(Text(), "What they are told.", default=f"`{text}`" if text else "")
    for name, text in MESSAGES.items()
}

PIPELINE = Table(
    {
        "name": Field(Text(), "What it is called.", required=True),
        "manager": Field(
            OneOf(("independent", "dependent", "serial", "supercedent")),
            "`independent`: each item by itself; `dependent`: in order, each on top of those ahead, merged on success;"
            " `serial`: one after the other; `supercedent`: the newest of each branch after the one that runs.",
            required=True,
        ),
        "description": Field(Text(), "For readers."),
        "variant-description": Field(Text(), "For readers."),
        "trigger": Field(_CONNECTED, "`{connection: filters}`: what brings items in."),
        "require": Field(_CONNECTED, "`{connection: ...}`: what a change must be to come in and to stay."),
        "reject": Field(_CONNECTED, "`{connection: ...}`: what it must not be."),
        **_ADDRESSED,
        **_SAID,
        "supercedes": Field(_TEXTS, "Pipelines that a change leaves when it comes in here."),
        "precedence": Field(OneOf(("high", "normal", "low")), "Which builds go first.", default="normal"),
        "post-review": Field(Flag(), "Changes here were approved by people.", default="false"),
        "dequeue-on-new-patchset": Field(Flag(), "A new patch set takes the old one out.", default="true"),
        "ignore-dependencies": Field(Flag(), "Test each change alone.", default="false"),
        "allow-other-connections": Field(
            Flag(),
            "False: only what is at connections that the pipeline names enters, dependencies too.",
            default="true",
        ),
        "allow-parameters": Field(Flag(), "Projects may declare parameters of a manual enqueue.", default="false"),
        "disable-after-consecutive-failures": Field(
            Number(1), "After so many failures only `disabled` reporters speak.", default="off"
        ),
        "window": Field(Number(0), "How many items of a queue are tested at once at first; 0: all.", default="20"),
        "window-floor": Field(Number(1), "Never fewer.", default="3"),
        "window-ceiling": Field(Either((Number(1), Null())), "Never more.", default="none"),
        "window-increase-type": Field(_STEP, "Growth with each merge.", default="linear"),
        "window-increase-factor": Field(Number(1), "Its step.", default="1"),
        "window-decrease-type": Field(_STEP, "Shrinking with each failure.", default="exponential"),
        "window-decrease-factor": Field(Number(1), "Its step.", default="2"),
        "speculation": Field(
            OneOf(("classic", "proofs")), "How far ahead is tested.", default="classic", only=("classic",), ours=True
        ),
        "order": Field(
            OneOf(("queue", "proved")), "The order of landing.", default="queue", only=("queue",), ours=True
        ),
    }
)
