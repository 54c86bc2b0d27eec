# SPDX-License-Identifier: Apache-2.0
"""The attributes of images, flavors, labels, sections and providers.

Data only, like `tables.py`. What belongs to a cloud alone is free: sections and providers take any further attribute.
"""

from __future__ import annotations

from collections.abc import Mapping

from .schema import Either, Field, Flag, Many, Null, Number, OneOf, Table, Text, Vars
from .tables_jobs import DESCRIPTION, NAME, TEXTS

_ANY = Either((Null(), Flag(), Number(), Text(), Vars(free=True), Many(Either((Text(), Number(), Vars(free=True))))))
_LISTED = Many(Either((Text(), Vars(free=True))), strict=True)
_DEFAULTS = Vars(free=True)

IMAGE = Table(
    {
        "name": NAME,
        "type": Field(OneOf(("zuul", "cloud")), "`zuul`: built by jobs; `cloud`: the provider has it.", required=True),
        "description": DESCRIPTION,
        "retain-count": Field(Number(1), "How many builds of it are kept.", default="2"),
        "max-retain-count": Field(Number(1), "The most that a provider may keep."),
    }
)
FLAVOR = Table({"name": NAME, "description": DESCRIPTION})
LABEL = Table(
    {
        "name": NAME,
        "image": Field(Text(), "The image.", required=True),
        "flavor": Field(Text(), "The flavor.", required=True),
        "description": DESCRIPTION,
        "min-ready": Field(Number(), "Kept; nodes are made when they are asked for.", default="0"),
        "max-ready-age": Field(Number(), "Kept.", default="0"),
        "max-age": Field(Number(), "Kept.", default="0"),
        "min-retention-time": Field(Number(), "Kept.", default="0"),
        "max-nodes": Field(Number(), "Kept."),
        "aliases": Field(TEXTS, "Other labels that it serves for."),
    }
)
SECTION = Table(
    {
        "name": NAME,
        "parent": Field(Text(), "The section whose attributes it begins with."),
        "connection": Field(Text(), "The cloud; once for all sections of a provider."),
        "abstract": Field(Flag(), "Only to inherit from.", default="false"),
        "description": DESCRIPTION,
        "images": Field(_LISTED, "Images, by name or with attributes."),
        "flavors": Field(_LISTED, "Flavors, by name or with attributes."),
        "labels": Field(_LISTED, "Labels, by name or with attributes."),
        "image-defaults": Field(_DEFAULTS, "Attributes of images that do not set them."),
        "flavor-defaults": Field(_DEFAULTS, "Attributes of flavors that do not set them."),
        "label-defaults": Field(_DEFAULTS, "Attributes of labels that do not set them."),
    },
    rest=_ANY,
)
PROVIDER = Table(
    {
        "name": NAME,
        "section": Field(Text(), "The section that it belongs to.", required=True),
        **{
            name: SECTION.fields[name]
            for name in ("description", "connection", "images", "labels", "image-defaults", "flavor-defaults")
        },
        "label-defaults": SECTION.fields["label-defaults"],
    },
    rest=_ANY,
)
OBJECTS: Mapping[str, Table] = {
    "image": IMAGE,
    "flavor": FLAVOR,
    "label": LABEL,
    "section": SECTION,
    "provider": PROVIDER,
}
