# SPDX-License-Identifier: Apache-2.0
"""A package of an index becomes a project: with its versions as history, and without running anything of it."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.fakes.git import WorkTree
from tests.fakes.site import RunningSite
from tests.stories.test_cli import run, told

SETUP = "[metadata]\nname = shop\n[pbr]\n"


def sdist(version: str, files: dict[str, str]) -> bytes:
    """A source distribution as a builder makes it; a link and a path that leads out are in it too."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"shop-{version}/{name}")
            entry.size, entry.mtime, entry.mode = len(text), 1_700_000_000, 0o755 if name == "run" else 0o644
            archive.addfile(entry, io.BytesIO(text.encode()))
        link = tarfile.TarInfo(f"shop-{version}/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return buffer.getvalue()


FIRST = {"shop/__init__.py": "one = 1\n", "gone.py": "", "setup.cfg": SETUP, ".gitreview": "x", "run": "#!/bin/sh\n"}
BUILT = {"PKG-INFO": "Version: 2.0", "shop.egg-info/PKG-INFO": "x", "ChangeLog": "x", "AUTHORS": "x"}
SECOND = {"shop/__init__.py": "one = 2\n", "setup.cfg": SETUP, "zuul.d/jobs.yaml": "[]\n", "doc/x": "y", **BUILT}


@pytest.fixture
def index() -> Iterator[str]:
    """A package index on a port of its own; version 6.6 is not what it promises, 7.0 is no archive."""
    archives = {"1.0": sdist("1.0", FIRST), "2.0": sdist("2.0", SECOND), "6.6": sdist("6.6", FIRST), "7.0": b"no"}
    digests = {one: hashlib.sha256(content).hexdigest() for one, content in archives.items()} | {"6.6": "00" * 32}
    files = [
        {"filename": f"shop-{one}.tar.gz", "url": f"../../f/{one}", "hashes": {"sha256": digests[one]}}
        for one in archives
    ]

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            version = self.path.removeprefix("/f/")
            content = archives.get(version)
            if self.path == "/simple/shop/":
                content = json.dumps({"files": files}).encode()
            self.send_response(404 if content is None else 200)
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/simple"
    server.shutdown()
    server.server_close()
    thread.join()


def test_versions_become_commits_and_tags_that_are_changed_by_review(site: RunningSite, index: str) -> None:
    line = ("project", "import-sdist", "shop==2.0", "shop==1.0", "--index", index, "--leave-out", "doc")
    url = f"{site.url}/shop"
    assert told(site, "admin", *line) == (
        f"Project shop made from 1.0, 2.0.\n  git clone {url}\n  {site.url}/project/shop\n"
        "  It brings Zuul configuration of another site. What of it does not fit here: gatebot config errors\n"
    )
    ann = site.person("ann")
    work: WorkTree = ann.clone("shop")
    assert work.git("log", "--format=%s|%an|%ct", "--reverse").splitlines() == [
        "shop 1.0|import-sdist|1700000000",
        "shop 2.0|import-sdist|1700000000",
    ]
    assert work.git("ls-tree", "-r", "--name-only", "1.0").split() == [
        "gone.py",
        "run",
        "setup.cfg",
        "shop/__init__.py",
    ]
    assert work.git("ls-tree", "-r", "--name-only", "2.0").split() == [
        "setup.cfg",
        "shop/__init__.py",
        "zuul.d/jobs.yaml",
    ]
    assert work.git("ls-tree", "1.0", "run").startswith("100755")
    assert work.git("describe", "--tags") == "2.0"
    change = ann.propose("shop", "Sell more", {"shop/__init__.py": "one = 3\n"})
    site.person("bob").approve(change)
    ann.sees_merged(change)
    again = run(site, "admin", *line)
    assert (again.exit_code, again.stderr) == (
        1,
        f"gatebot: There is a project shop already: {url[:-5]}/project/shop\n",
    )


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("shop==6.6", "{files}/6.6 is not what the index promises (sha256 " + "00" * 32 + "). Nothing was imported."),
        ("shop==7.0", "The archive is damaged, or no source distribution: it must have one directory with everything."),
        ("shop==8.0", "The index has no source distribution of shop==8.0: {index}/shop/"),
        ("till", "The index knows no such package: {index}/till/"),
    ],
)
def test_what_cannot_be_imported_leaves_no_project(site: RunningSite, index: str, wanted: str, said: str) -> None:
    done = run(site, "admin", "project", "import-sdist", wanted, "--index", index)
    files = index.removesuffix("simple") + "f"
    assert done.exit_code == 1
    assert done.stderr == f"gatebot: {said.format(index=index, files=files)}\n"
    assert "shop" not in told(site, "admin", "project", "list")
