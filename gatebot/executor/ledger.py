# SPDX-License-Identifier: Apache-2.0
"""Which nodes are kept for people, on disk, so that an executor that starts again knows them.

Until when is not here: that is asked of whoever gives out builds.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import msgspec

from .placing import Placed

log = logging.getLogger(__name__)
FILE = "kept.json"


class Ledger:
    """A file in a directory of the executor's own; it is whole whenever it is there."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / FILE

    def read(self) -> Mapping[str, tuple[Placed, ...]]:
        """The nodes of each build; none where nothing can be read, and then they are taken away as left ones are."""
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=dict[str, tuple[Placed, ...]])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.MsgspecError) as problem:
            log.warning("%s cannot be read (%s): the nodes that were kept are taken away", self._file, problem)
            return {}

    def write(self, nodes: Mapping[str, tuple[Placed, ...]]) -> None:
        """From now on these; where the disk has no room they last as long as this executor."""
        draft = self._file.with_suffix(".new")
        try:
            draft.write_bytes(msgspec.json.encode(nodes))
            draft.replace(self._file)
        except OSError as problem:
            log.warning("%s cannot be written: %s", self._file, problem)
