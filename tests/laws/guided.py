# SPDX-License-Identifier: Apache-2.0
"""Atheris on one of the tests of `test_hostile_texts.py`, in its own environment: inputs that reach ever more code.

    python -m tests.laws.guided TEST RUNS

It ends with another status than 0 where an input is neither read nor refused, and prints that input.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import atheris  # type: ignore[import-not-found]

with atheris.instrument_imports(include=["gatebot"], enable_loader_override=False):
    from tests.laws import test_hostile_texts
from tests.fakes.hostile import THROWN

LONGEST = 1000


def quoted(word: bytes) -> str:
    """A word as the fuzzer's dictionary has it."""
    return '"' + "".join(f"\\x{byte:02x}" for byte in word) + '"'


def main() -> None:
    """Run one."""
    assert test_hostile_texts
    name, runs = sys.argv[1:3]
    looked_at = THROWN[name]
    words = {word for source in looked_at.sources.values() for word in source.words if word}

    def one(data: bytes) -> None:
        given: Any = atheris.FuzzedDataProvider(data)
        inputs = {key: source.read(given) for key, source in looked_at.sources.items()}
        try:
            looked_at.check(**inputs)
        except Exception:
            print(f"with {inputs!r}", file=sys.stderr, flush=True)
            raise

    with tempfile.TemporaryDirectory() as place:
        known = Path(place) / "words"
        known.write_text("".join(f"{quoted(word)}\n" for word in sorted(words)))
        options = [
            f"-runs={runs}",
            f"-max_len={LONGEST}",
            f"-dict={known}",
            f"-artifact_prefix={place}/",
            "-timeout=30",
        ]
        atheris.Setup([sys.argv[0], *options, "-verbosity=0", "-print_final_stats=1"], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
