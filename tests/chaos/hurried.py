# SPDX-License-Identifier: Apache-2.0
"""`gatebot` with leases a third as long, so that rounds need not wait: `python -m tests.chaos.hurried serve ...`.

Nothing else is different; the constants are set before anything that reads them is imported.
"""

from __future__ import annotations

from importlib import import_module

#: How much shorter than in earnest.
HASTE = 0.3


def main() -> None:
    """Run the command line."""
    model = import_module("gatebot.executor.fleet.model")
    for name in ("BEAT_SECONDS", "ANSWER_SECONDS", "SILENT_SECONDS", "LEASE_SECONDS", "FAREWELL_SECONDS"):
        setattr(model, name, getattr(model, name) * HASTE)
    import_module("gatebot.cli").main()


if __name__ == "__main__":
    main()
