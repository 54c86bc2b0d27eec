# SPDX-License-Identifier: Apache-2.0
"""Other people's clients, each in an environment of its own below build/: what `make test-clients` tries gatebot with.

    python tools/peers.py [NAME ...]

Their versions are fixed. What is there already is left alone. Without a name all clients are set up; the fuzzer of
`make test-fuzz` only by its name. Standard library only.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

BUILD = Path(__file__).resolve().parent.parent / "build"


@dataclass(frozen=True, slots=True)
class Peer:
    """A client with what must be installed beside it; `there` is the last file of its set-up."""

    there: str
    packages: Sequence[str]
    options: Sequence[str] = ()
    before: Sequence[str] = ()
    source: str = ""


PEERS = {
    "clients": Peer("bin/zuul-client", ["zuul-client==14.0.0"]),
    "gerritlib": Peer("lib", ["gerritlib==0.11.0"]),
    # Its tests are in its source archive only.
    "git-review": Peer("bin/git-review", ["git-review==2.5.0", "fixtures", "testtools"], ["--no-binary", "git-review"]),
    "pygerrit2": Peer("pygerrit2-2.0.9", ["pygerrit2==2.0.15", "pytest"], source="pygerrit2==2.0.9"),
    "schemathesis": Peer("bin/schemathesis", ["schemathesis==4.32.5"]),
    "python-gerrit-api": Peer("lib", ["python-gerrit-api==3.1.0"]),
    # It has not followed what it stands on: a newer urwid ends it where a change is opened.
    "gertty": Peer(
        "bin/gertty", ["gertty==1.6.0", "SQLAlchemy<1.4", "alembic==1.4.3", "urwid==2.2.3", "setuptools<80"]
    ),
    # Two of its dependencies are source archives, which must not look for what builds them.
    "zuul": Peer("bin/zuul", ["zuul==14.3.0"], ["--no-build-isolation"], ["setuptools<80", "wheel", "pbr"]),
}
FUZZERS = {"atheris": Peer("lib", ["atheris==3.0.0"], ["--only-binary", ":all:"])}


def install(name: str, peer: Peer) -> None:
    """Set one up."""
    place = BUILD / name
    done = place / ".installed"
    if done.exists() and done.read_text() == repr(peer):
        return
    print(f"installing {name}: {', '.join(peer.packages)}", flush=True)
    venv.create(place, with_pip=True, clear=True)
    pip = [str(place / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "-q"]
    if peer.before:
        subprocess.run([*pip, "install", *peer.before], check=True)
    subprocess.run([*pip, "install", *peer.options, *peer.packages], check=True)
    if peer.source:
        command = [*pip, "download", "--no-deps", "--no-binary", ":all:", "-d", str(place), peer.source]
        subprocess.run(command, check=True)
        archive = next(place.glob("*.tar.gz"))
        subprocess.run(["tar", "-xzf", str(archive), "-C", str(place)], check=True)
    if not (place / peer.there).exists():
        raise SystemExit(f"{name}: {peer.there} is not there after its set-up")
    done.write_text(repr(peer))


def main(names: Sequence[str]) -> None:
    """Set up those that are named, or all."""
    known = PEERS | FUZZERS
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise SystemExit(f"No such client: {', '.join(unknown)}. There are: {', '.join(known)}.")
    for name in names or PEERS:
        install(name, known[name])


if __name__ == "__main__":
    main(sys.argv[1:])
