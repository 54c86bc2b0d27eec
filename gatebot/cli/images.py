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


def build(directory: Path) -> None:
    """Build the image of this machine's release for a site."""
    if lacking := images.missing():
        raise Unavailable(f"An image needs {', '.join(lacking)}. Debian: apt-get install {' '.join(lacking)}")
    settings, where = places.load(directory)
    target = places.images_of(settings, where)
    target.mkdir(parents=True, exist_ok=True)
    definition = images.definition_for_host()
    made = images.build(definition, target, lambda line: click.echo(f"  {line}", err=True))
    click.echo(f"Jobs run on {made.name}.")
