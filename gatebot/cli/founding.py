# SPDX-License-Identifier: Apache-2.0
"""`gatebot init`: a new site's directory, database, administrator, and its configuration project.

Needs no server. Everything is made in a directory that did not exist or was empty; a failure in
the middle leaves nothing behind, and a kill leaves nothing that could be taken for a site, because
`gatebot.toml` is written last.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .. import assets, db, settings, settings_file
from ..app.footing import check_git, check_reach
from ..app.places import SETTINGS, TOKEN, Places, places_of
from ..app.users import give, server_user
from ..clock import SystemClock
from ..errors import Conflict, GatebotError, Unavailable
from ..identity import GATE, Identity
from ..keys import SiteKey
from ..repo import Repositories
from ..review.config.founding import found_root
from ..review.model import Project
from ..review.projects import Projects

CONFIG_PROJECT = "gatebot-config"


@dataclass(frozen=True, slots=True)
class Founded:
    """A new site: its directory, the administrator's password (to be shown once), and where it will answer."""

    directory: Path
    password: str
    url: str


def found(directory: Path, text: str | None = None) -> Founded:
    """Make a site. `text` is its gatebot.toml, by default the commented one with all defaults.

    Raises `Conflict` when something is in the way, `SettingsError` for unusable settings.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise Conflict(f"{directory} is not empty. Name a directory that does not exist yet: gatebot init DIR")
    text = text or settings_file.init_text({"site.data": "data"})
    made = settings.load(text, str(directory.resolve() / SETTINGS))
    places = places_of(made)
    user = server_user(made.executor.run_as)
    check_git()
    check_reach(user, places.data)
    with _new_directory(directory):
        places.data.mkdir(parents=True, exist_ok=True)
        db.migrate(places.database_url)
        SiteKey.make(places.key)
        password = secrets.token_urlsafe(12)
        token = asyncio.run(_furnish(places, password))
        places.close_to_others()
        give(places.data, user)
        _secret(directory / TOKEN, token + "\n")
        (directory / SETTINGS).write_text(text)
    return Founded(directory, password, made.url)


@contextmanager
def _new_directory(directory: Path) -> Generator[None]:
    """Make it, and take away again what is in it when the work inside fails: the next try finds it empty."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o755)
    except OSError as error:
        raise Unavailable(f"{directory} cannot be made: {error.strerror}. Name another: gatebot init DIR") from None
    try:
        yield
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise


async def _furnish(places: Places, password: str) -> str:
    """The first accounts and the configuration project; returns a token for the command line in the directory."""
    clock = SystemClock()
    opened = db.Database.open(places.database_url)
    try:
        identity = Identity(opened, clock)
        admin = await identity.create(
            "admin", name="Administrator", email="admin@localhost", password=password, groups=("Administrators", "Core")
        )
        await identity.create(GATE, name="gatebot", email="gatebot@localhost", groups=("Service Users",))
        repositories = Repositories(places.git)
        await found_root(opened, repositories, clock)
        project = Project(CONFIG_PROJECT, description="Pipelines, the base job and the job library of this site.")
        with tempfile.TemporaryDirectory(prefix="gatebot-init-") as scratch:
            source = _shipped_configuration(Path(scratch) / CONFIG_PROJECT)
            await Projects(opened, repositories, clock).host(project, admin.id, source=str(source))
        return await identity.create_token(admin.id, "site directory")
    finally:
        await opened.close()


def _shipped_configuration(target: Path) -> Path:
    """A repository with the shipped pipelines, base job and job library as its first commit."""
    shutil.copytree(assets.path("jobs"), target, ignore=shutil.ignore_patterns("__pycache__"))
    for command in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        ["commit", "--quiet", "-m", "Begin with the configuration that gatebot ships"],
    ):
        _git(target, command)
    return target


def _git(directory: Path, command: list[str]) -> None:
    env = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(directory), "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "gatebot", "GIT_AUTHOR_EMAIL": "gatebot@localhost",
        "GIT_COMMITTER_NAME": "gatebot", "GIT_COMMITTER_EMAIL": "gatebot@localhost",
    }  # fmt: skip
    done = subprocess.run(["git", *command], cwd=directory, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise GatebotError(f"git {command[0]} failed: {done.stderr.strip()}")


def _secret(path: Path, text: str) -> None:
    """Write a file that only its owner reads."""
    path.touch(mode=0o600)
    path.write_text(text)
