# SPDX-License-Identifier: Apache-2.0
"""`gatebot image ...`: the root file systems that jobs run on, each built once.

Content-addressed: a second call finds it and does nothing. Without an image jobs run on a read-only
view of this machine's own /usr; nodes of another architecture need one.
"""

from __future__ import annotations

import platform
import time
from dataclasses import replace
from pathlib import Path

import click

from ..app import places
from ..architectures import ARCHITECTURES, canonical
from ..durations import duration
from ..errors import NotFound, Unavailable
from ..executor import images
from ..executor.imaging import is_ours, wanted
from ..executor.labels import site_labels
from ..executor.machines import building
from ..executor.machines import images as machine_images
from ..executor.machines.shapes import KINDS
from ..executor.model import DEFAULT_LABELS, HOST_IMAGE, LOCAL, Label
from ..executor.providing import kinds
from .output import Output

_DAY = 86_400


def build(directory: Path | None, label: str, arch: str, *, machine: bool = False) -> None:
    """Build an image, for one site or for all sites of this machine."""
    if lacking := images.missing():
        raise Unavailable(f"An image needs {', '.join(lacking)}. Debian: apt-get install {' '.join(lacking)}")
    asked = _label(directory, label) if label else None
    arch = canonical(arch) or (asked.arch if asked else "")
    if machine or _is_machine(directory, asked):
        _build_machine(_place(directory), asked or Label("vm"), arch)
        return
    if arch and arch not in ARCHITECTURES:
        raise click.UsageError(f"There is no architecture {arch} here: {', '.join(ARCHITECTURES)}.")
    target = _place(directory)
    definition = _definition(asked, arch)
    if images.is_built(definition, target):
        click.echo(f"Nothing to do: {definition.name} is in {target}.")
        return
    made = images.build(definition, target, lambda line: click.echo(f"  {line}", err=True))
    then = "" if asked is not None and (asked.imaged or asked.arch) else ", from the next start of the server on"
    click.echo(f"Jobs run on {made}{then}.")


def _definition(label: Label | None, arch: str) -> images.Definition:
    if label is not None and label.imaged:
        return images.definition_of(replace(label, arch=arch))
    return images.definition_for(arch) if arch else images.definition_for_host()


def _build_machine(place: Path, label: Label, arch: str) -> None:
    if lacking := machine_images.missing():
        raise Unavailable(f"A machine needs {', '.join(lacking)}. Debian: apt-get install {' '.join(lacking)}")
    made = building.build(label, arch, place, lambda line: click.echo(f"  {line}", err=True))
    click.echo(f"Virtual machines begin with {made}, from the next start of the server on.")


def _is_machine(directory: Path | None, label: Label | None) -> bool:
    """Whether nodes of the label are virtual machines."""
    return label is not None and label.provider in _machine_providers(directory)


def list_all(out: Output, directory: Path | None) -> None:
    """Print them: those that are there, those that were begun, and those that labels lack."""
    target, labels = _place(directory), _labels(directory)
    machines = _machine_providers(directory)
    known = images.built(target) if target.is_dir() else {}
    known |= {name: name for name in machine_images.built(target)}
    needs = {
        label.name: _machine(label, known) if label.provider in machines else _image(label, known)
        for label in labels.values()
        if (label.provider == LOCAL and is_ours(label)) or label.provider in machines
    }
    rows = [_row(target / name, needs) for name in sorted(set(known.values()))]
    answer = [
        {"name": name, "state": "built", "bytes": size, "age": age, "labels": used} for name, size, age, used in rows
    ]
    shown = [(name, f"{size / 1e6:.0f} MB", _age(age), ", ".join(used)) for name, size, age, used in rows]
    lacking = [labels[name] for name, need in needs.items() if not need]
    begun = sorted(path.name.removesuffix(".new") for path in target.glob("*.new"))
    for name in begun:
        used = [label.name for label in lacking if _begins(label, name)]
        answer.append({"name": name, "state": "begun, not finished", "labels": used})
        shown.append((name, "begun, not finished", "", ", ".join(used)))
    for path in sorted(target.glob("*.failed")):
        answer.append({"name": path.stem, "state": "failed", "told": path.read_text("utf-8")})
        shown.append((path.stem, "failed", path.read_text("utf-8"), ""))
    for label in (label for label in lacking if not any(_begins(label, name) for name in begun)):
        how = f"gatebot image build {label.name}{f' --site {directory}' if directory else ''}"
        if label.image != "default" and label.provider == LOCAL:  # one of the site's own
            how = f"put a root file system into {target / label.image}"
        name = images.definition_of(label).name if label.imaged else label.image
        name = "machine" if label.provider in machines else name
        answer.append({"name": name, "state": "not built", "labels": [label.name], "build": how})
        shown.append((name, "not built", how, label.name))
    out.table(answer, shown, ("image", "size", "age", "labels"), "No image is built: gatebot image build")


def _begins(label: Label, name: str) -> bool:
    """Whether that is the image that a server builds for a label."""
    return (made := wanted(label)) is not None and made.name == name


def _row(place: Path, needs: dict[str, str]) -> tuple[str, int, float, list[str]]:
    size = sum(path.lstat().st_size for path in place.rglob("*") if path.is_file() and not path.is_symlink())
    used = [label for label, need in needs.items() if need == place.name]
    return place.name, size, time.time() - place.stat().st_mtime, used


def _image(label: Label, known: dict[str, str]) -> str:
    """The directory of a label's image; empty: it has to be built first."""
    if label.imaged:
        return known.get(images.definition_of(label).name, "")
    if label.image != "default":
        return known.get(label.image, HOST_IMAGE if label.image == HOST_IMAGE else "")
    own = images.definition_for_host()
    foreign = label.arch and images.definition_for(label.arch) != own
    return known.get(f"default-{label.arch}", "") if foreign else known.get("default", HOST_IMAGE)


def _machine(label: Label, known: dict[str, str]) -> str:
    """The same, of a label of virtual machines."""
    arch = label.arch or canonical(platform.machine())
    return known.get(machine_images.name(machine_images.definition(arch)), "") if arch in KINDS else ""


def _machine_providers(directory: Path | None) -> frozenset[str]:
    """The site's providers whose nodes are virtual machines."""
    settings = places.load(directory)[0] if directory is not None else None
    return frozenset(name for name, kind in kinds(settings.providers if settings else {}).items() if kind == "qemu")


def _age(seconds: float) -> str:
    return f"{seconds // _DAY:.0f} days" if seconds >= 2 * _DAY else duration(seconds)


def _place(directory: Path | None) -> Path:
    return places.images_of(*places.load(directory)) if directory else images.shared()


def _labels(directory: Path | None) -> dict[str, Label]:
    if directory is None:
        return dict(DEFAULT_LABELS)
    settings, _ = places.load(directory)
    return site_labels(settings.labels, kinds(settings.providers))


def _label(directory: Path | None, name: str) -> Label:
    known = _labels(directory)
    if name not in known:
        raise NotFound(f"There is no label {name}: {', '.join(known)}. Labels of a site: --site DIRECTORY.")
    return known[name]
