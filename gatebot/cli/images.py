# SPDX-License-Identifier: Apache-2.0
"""`gatebot image build`: the root file system that jobs run on, built once.

Content-addressed: a second call finds it and does nothing. Without an image jobs run on a read-only
view of this machine's own /usr.
"""

from __future__ import annotations

from pathlib import Path

import click

from ..app import places
from ..errors import Unavailable
from ..executor import images


def build(directory: Path | None) -> None:
    """Build the image of this machine's release, for one site or for all sites of this machine."""
    if lacking := images.missing():
        raise Unavailable(f"An image needs {', '.join(lacking)}. Debian: apt-get install {' '.join(lacking)}")
    target = places.images_of(*places.load(directory)) if directory else images.shared()
    definition = images.definition_for_host()
    if images.is_built(definition, target):
        click.echo(f"Nothing to do: {definition.name} is in {target}.")
        return
    made = images.build(definition, target, lambda line: click.echo(f"  {line}", err=True))
    click.echo(f"Jobs run on {made}, from the next start of the server on.")
