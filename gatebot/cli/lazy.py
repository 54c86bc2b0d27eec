# SPDX-License-Identifier: Apache-2.0
"""Groups of commands that know some by name and sentence only, and import them when they are run.

Most commands are a question to a server, answered at once; few need what a whole site is made of. So help, completion
and questions cost nothing of what serving, running and keeping import.
"""

from __future__ import annotations

import gc
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib import import_module

import click

#: Commands by name: `module:attribute` of this package, and the first sentence of their help.
Elsewhere = Mapping[str, tuple[str, str]]


@contextmanager
def uncollected() -> Generator[None]:
    """To import in: it makes many objects and no garbage, and looking for some is a sixth of a server's start."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Named(click.Command):
    """Stands in a group for a command that is not imported yet."""

    def __init__(self, name: str, place: str, sentence: str) -> None:
        super().__init__(name, help=sentence)
        self._place = place

    def command(self) -> click.Command:
        """The command itself."""
        module, _, attribute = self._place.partition(":")
        with uncollected():
            found = getattr(import_module(f".{module}", __package__), attribute)
        assert isinstance(found, click.Command)
        return found


class Lazy(click.Group):
    """A group with commands elsewhere, beside those that are added to it."""

    def __init__(self, *args: object, elsewhere: Elsewhere, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # pyright: ignore
        for name, (place, sentence) in elsewhere.items():
            self.add_command(Named(name, place, sentence))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is meant; it is going to run, or to be asked for its own help."""
        name, found, rest = super().resolve_command(ctx, args)
        return name, found.command() if isinstance(found, Named) else found, rest
