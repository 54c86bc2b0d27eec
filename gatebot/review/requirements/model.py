# SPDX-License-Identifier: Apache-2.0
"""A submit requirement as Gerrit's REST calls send it, and the lines of `project.config` that say the same.

Floor 0: JSON in, entries out. What is wrong with an expression is asked where expressions are read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
SECTION = "submit-requirement"


@dataclass(frozen=True, slots=True)
class Said:
    """Everything that one call says of a requirement: what it does not say is taken away."""

    name: str
    submittable: str
    applicable: str = ""
    override: str = ""
    description: str = ""
    can_override: bool = False

    @property
    def expressions(self) -> dict[str, str]:
        """The expressions that it has, by how `project.config` calls them."""
        given = {"applicableIf": self.applicable, "submittableIf": self.submittable, "overrideIf": self.override}
        return {key: text for key, text in given.items() if text}

    @property
    def lines(self) -> dict[str, list[str]]:
        """The entries of its section by name; an empty list: no such entry."""
        said = {"description": self.description, "applicableIf": self.applicable, "submittableIf": self.submittable}
        said |= {"overrideIf": self.override, "canOverrideInChildProjects": "true" if self.can_override else ""}
        return {key: [text] if text else [] for key, text in said.items()}
