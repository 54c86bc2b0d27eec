# SPDX-License-Identifier: Apache-2.0
"""How the tour speaks: what it does and why in plain words, what it waits for, and what came out.

On a terminal a spinner shows what is waited for and since when; in a pipe each line is printed
once. Nothing here knows the tour's contents.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from rich.console import Console

from ...errors import GatebotError

T = TypeVar("T")


@dataclass(slots=True)
class Teller:
    """Prints steps and outcomes, and keeps the outcomes for the summary."""

    console: Console = field(default_factory=lambda: Console(highlight=False))
    steps: int = 0
    of: int = 0
    outcomes: list[tuple[str, bool]] = field(default_factory=list[tuple[str, bool]])
    began: float = field(default_factory=time.monotonic)

    def step(self, title: str) -> None:
        """Begin a part of the tour."""
        self.steps += 1
        part = f"[{self.steps}/{self.of}] " if self.of else ""
        self.console.print(f"\n[bold]{part}{title}[/bold]")

    def close(self, title: str) -> None:
        """Begin what comes after the tour."""
        self.console.print(f"\n[bold]{title}[/bold]")

    def say(self, text: str) -> None:
        """A sentence of explanation."""
        self.console.print(f"  {text}", markup=False, soft_wrap=True)

    def ran(self, command: str) -> None:
        """A command as the reader could type it."""
        self.console.print(f"  $ {command}", style="cyan", markup=False, soft_wrap=True)

    def heard(self, text: str) -> None:
        """What a program or a page answered, without its empty lines."""
        for line in filter(str.strip, text.splitlines()):
            line = line.rstrip()
            self.console.print(f"    {line}", style="dim", markup=False, soft_wrap=True)

    def check(self, claim: str, holds: bool) -> None:
        """An outcome of the tour, true or not; the summary counts them."""
        self.outcomes.append((claim, holds))
        mark, style = ("✓", "green") if holds else ("✗", "bold red")
        self.console.print(f"  {mark} {claim}", style=style, markup=False, soft_wrap=True)

    def wait(self, what: str, ask: Callable[[], T | None], seconds: float) -> T:
        """Ask again and again until there is an answer; tells what is waited for.

        Raises `GatebotError` with the same words after `seconds`.
        """
        began = time.monotonic()
        with self.working(f"waiting until {what}") as show:
            while True:
                answer = ask()
                if answer is not None:
                    return answer
                waited = time.monotonic() - began
                if waited > seconds:
                    raise GatebotError(f"Waited {seconds:.0f} s in vain until {what}.")
                show(f"waiting until {what} ({waited:.0f} s)")
                time.sleep(0.15)

    @contextmanager
    def working(self, what: str) -> Generator[Callable[[str], None]]:
        """Show on a terminal that something goes on; yields what changes the words. Nothing is shown in a pipe."""
        if not self.console.is_terminal:
            yield lambda text: None
            return
        with self.console.status(f"  {what}", spinner="dots") as status:
            yield lambda text: status.update(f"  {text}")

    def took(self) -> float:
        """Seconds since the tour began, installation not counted."""
        return time.monotonic() - self.began

    def summary(self) -> bool:
        """Print what was verified; True when all of it holds."""
        bad = [claim for claim, holds in self.outcomes if not holds]
        self.console.print()
        self.console.print(
            f"{len(self.outcomes) - len(bad)} of {len(self.outcomes)} outcomes as promised, {self.took():.0f} s."
        )
        for claim in bad:
            self.console.print(f"  ✗ {claim}", style="bold red", markup=False)
        return not bad
