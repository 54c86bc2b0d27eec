# SPDX-License-Identifier: Apache-2.0
"""Why something waits, left, or was refused: what the cores return instead of sentences.

Here lives only the value; `words.py` turns it into a sentence in the reader's language, from the
catalogues in `locale/`. A kind is `room.words-with-hyphens`; its sentence is the catalogue entry
of that id. Nothing here knows any sentence.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, for example `Reason("pipeline.job-failed", (("job", "unit"), ("line", 12)))`.

    `params` fill the named places of the sentence. Nested reasons (`because`) are said after it.
    """

    kind: str
    params: tuple[tuple[str, str | int], ...] = ()
    because: tuple[Reason, ...] = ()

    def get(self, name: str) -> str | int | None:
        """One parameter, or None."""
        return dict(self.params).get(name)


def reason(kind: str, *because: Reason, **params: str | int) -> Reason:
    """Write a reason shortly: `reason("review.needs-vote", label="Verified", value="+1")`."""
    return Reason(kind, tuple(params.items()), because)
