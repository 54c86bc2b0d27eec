# SPDX-License-Identifier: Apache-2.0
"""Which source distribution a requirement means, by what a package index answers (PEP 503, 691).

Pure: requirement and answer in, file out. What is fetched is in `sdists.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urljoin

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidSdistFilename, canonicalize_name, parse_sdist_filename
from packaging.version import Version

from ..errors import Invalid

#: What is asked for; an index that knows no JSON answers with a page, which is refused.
ACCEPT = "application/vnd.pypi.simple.v1+json"


class _File(msgspec.Struct):
    filename: str
    url: str
    hashes: dict[str, str] = {}
    yanked: bool | str = False


class _Listing(msgspec.Struct):
    files: list[_File]


@dataclass(frozen=True, slots=True)
class Sdist:
    """One source distribution; `sha256` is what the index promises of it."""

    name: str
    version: Version
    url: str
    sha256: str


def requirement(text: str) -> Requirement:
    """What a person typed: `nova==34.0.0`, `nova`, `nova<34`."""
    try:
        wanted = Requirement(text)
    except InvalidRequirement:
        wanted = None
    if wanted is None or wanted.url or wanted.extras or wanted.marker:
        raise Invalid(f"'{text}' names no package. Give a name, and a version if it matters: nova==34.0.0")
    return wanted


def page_of(index: str, wanted: Requirement) -> str:
    """The address of a package's files on an index."""
    return f"{index.rstrip('/')}/{canonicalize_name(wanted.name)}/"


def chosen(wanted: Requirement, page: str, answer: bytes) -> Sdist:
    """The newest source distribution that fits; withdrawn ones only when their version is named."""
    try:
        listing = msgspec.json.decode(answer, type=_Listing)
    except msgspec.MsgspecError:
        raise Invalid(f"{page} does not answer as a package index does. Name another with --index.") from None
    found = sorted(_fitting(wanted, page, listing.files), key=lambda one: one.version)
    if not found:
        raise Invalid(f"The index has no source distribution of {wanted}: {page}")
    return found[-1]


def in_order(found: Iterable[Sdist]) -> tuple[Sdist, ...]:
    """Several versions of one package as a history: the oldest first."""
    ordered = tuple(sorted(set(found), key=lambda one: one.version))
    if len({one.name for one in ordered}) > 1:
        raise Invalid("These are several packages. Import each into a project of its own.")
    return ordered


def _fitting(wanted: Requirement, page: str, files: Iterable[_File]) -> Iterable[Sdist]:
    exact = any(one.operator in ("==", "===") for one in wanted.specifier)
    for file in files:
        try:
            name, version = parse_sdist_filename(file.filename)
        except InvalidSdistFilename:
            continue  # a wheel, or a format of long ago
        digest = file.hashes.get("sha256", "")
        usable = digest and file.filename.endswith(".tar.gz") and (exact or file.yanked is False)
        if usable and name == canonicalize_name(wanted.name) and wanted.specifier.contains(version, exact):
            yield Sdist(name, version, urljoin(page, file.url), digest)
