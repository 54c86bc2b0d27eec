# SPDX-License-Identifier: Apache-2.0
"""`gatebot image ...`: the root file systems that jobs run on, each built once.

Content-addressed: a second call finds it and does nothing. Without an image jobs run on a read-only
view of this machine's own /usr; nodes of another architecture need one.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click

from ..app import places
from ..architectures import ARCHITECTURES, canonical
from ..durations import duration
from ..errors import NotFound, Unavailable
from ..executor import images
from ..executor.imaging import Imaging, is_ours
from ..executor.labels import site_labels
from ..executor.machines import images as machine_images
from ..executor.machines.building import machine_of
from ..executor.machines.shapes import KINDS
from ..executor.model import DEFAULT_LABELS, HOST_IMAGE, LOCAL, Label
from ..executor.providing import kinds
from ..executor.providing import machines as machines_of
from ..reasons import reason
from .output import Output

_DAY = 86_400


def build(directory: Path | None, label: str, arch: str, *, machine: bool = False) -> None:
    """Build an image, for one site or for all sites of this machine."""
    if lacking := images.missing():
        raise Unavailable(f"An image needs {', '.join(lacking)}. Debian: apt-get install {' '.join(lacking)}")
    asked = _label(directory, label) if label else None
    arch = canonical(arch) or (asked.arch if asked else "")
    machines = _machines(directory)
    if machine or (asked is not None and asked.provider in machines):
        whole = replace(asked or Label("vm"), arch=arch, execution="")
        _build_machine(_place(directory), whole, () if arch else machines.get(whole.provider, ()))
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


def _build_machine(place: Path, label: Label, architectures: Sequence[str]) -> None:
    machine = machine_of(label, architectures)
    if machine is None:
        raise Unavailable(reason=reason("executor.machine-unproven", arch=label.arch, known=", ".join(KINDS)))
    made = machine.build(place, lambda line: click.echo(f"  {line}", err=True))
    click.echo(f"Virtual machines begin with {made}.")


def list_all(out: Output, directory: Path | None) -> None:
    """Print them: those that are there, those that were begun, and those that labels lack."""
    target, labels, machines = _place(directory), _labels(directory), _machines(directory)
    imaging = Imaging(target, machines)
    known = images.built(target) if target.is_dir() else {}
    known |= {name: name for name in machine_images.built(target)}
    needs = {
        label.name: _machine(label, machines, known) if label.provider in machines else _image(label, known)
        for label in labels.values()
        if (label.provider == LOCAL and is_ours(label)) or label.provider in machines
    }
    rows = [_row(target / name, needs) for name in sorted(set(known.values()))]
    answer = [
        {"name": name, "state": "built", "bytes": size, "age": age, "labels": used} for name, size, age, used in rows
    ]
    shown = [(name, f"{size / 1e6:.0f} MB", _age(age), ", ".join(used)) for name, size, age, used in rows]
    lacking = [labels[name] for name, need in needs.items() if not need]
    building = {label.name: made.name for label in lacking if (made := imaging.wanted(label)) is not None}
    begun = {name: since for name, since in _begun(target).items() if name not in known.values()}
    for name, since in begun.items():
        used = [label for label, made in building.items() if made == name]
        state = f"being built since {since:%H:%M} UTC" if since is not None else "begun, not finished"
        answer.append({"name": name, "state": state, "labels": used})
        shown.append((name, state, "", ", ".join(used)))
    for path in sorted(target.glob("*.failed")):
        answer.append({"name": path.stem, "state": "failed", "told": path.read_text("utf-8")})
        shown.append((path.stem, "failed", path.read_text("utf-8"), ""))
    for label in (label for label in lacking if building.get(label.name) not in begun):
        how = f"gatebot image build {label.name}{f' --site {directory}' if directory else ''}"
        if label.image != "default" and label.provider == LOCAL:  # one of the site's own
            how = f"put a root file system into {target / label.image}"
        name = images.definition_of(label).name if label.imaged else label.image
        name = "machine" if label.provider in machines else name
        answer.append({"name": name, "state": "not built", "labels": [label.name], "build": how})
        shown.append((name, "not built", how, label.name))
    out.table(answer, shown, ("image", "size", "age", "labels"), "No image is built: gatebot image build")


def _begun(place: Path) -> dict[str, datetime | None]:
    """The images that are not complete, with since when somebody is making them; None: nobody is."""
    left = [path.stem.removesuffix(machine_images.UNPACKED) for path in place.glob("*.new")]
    making = {path.stem: since for path in place.glob("*.lock") if (since := images.begun(path.stem, place))}
    return {name: making.get(name) for name in sorted({*left, *making})}


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


def _machine(label: Label, machines: Mapping[str, tuple[str, ...]], known: dict[str, str]) -> str:
    """The same, of a label of virtual machines."""
    made = machine_of(label, machines[label.provider])
    return known.get(made.name, "") if made is not None else ""


def _machines(directory: Path | None) -> dict[str, tuple[str, ...]]:
    """The site's providers whose nodes are virtual machines, with their architectures."""
    return machines_of(places.load(directory)[0].providers) if directory is not None else {}


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
