# SPDX-License-Identifier: Apache-2.0
"""Where the parts of a site lie in its data directory, and what its settings leave to defaults.

One place for these names: the server, `init`, `backup` and `restore` agree through it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .. import settings as settings_text
from ..errors import NotFound, Unavailable
from ..executor import images
from ..executor.labels import label_errors
from ..settings import Settings

SETTINGS = "gatebot.toml"
TOKEN = "admin.token"  # noqa: S105 - the name of a file
KEY = "site.key"
PARTS = ("git", "logs", "meetings", "ssh")


@dataclass(frozen=True, slots=True)
class Places:
    """Directories of a site. `private` is for the server alone, everything else may be read by its executors."""

    directory: Path
    data: Path
    database_url: str

    @property
    def git(self) -> Path:
        """The bare repositories."""
        return self.data / "git"

    @property
    def builds(self) -> Path:
        """Logs and artifacts of builds."""
        return self.data / "logs"

    @property
    def meetings(self) -> Path:
        """Minutes."""
        return self.data / "meetings"

    @property
    def key(self) -> Path:
        """The key that seals what the database keeps."""
        return self.data / KEY

    @property
    def ssh(self) -> Path:
        """The keys by which SSH clients know the site again."""
        return self.data / "ssh"

    @property
    def work(self) -> Path:
        """What may be deleted while the server is down: workspaces, mirrors, layers of nodes."""
        return self.data / "work"

    def close_to_others(self) -> None:
        """Let nobody else on this machine read the database, repositories, logs and minutes.

        The data directory itself stays open: jobs of other user ids run below it.
        """
        if self.database_file is not None:
            self.database_file.chmod(0o600)  # hashes of passwords, private changes; SQLite's journal gets the same
        for part in PARTS:
            (self.data / part).mkdir(exist_ok=True)
            (self.data / part).chmod(0o700)

    @property
    def database_file(self) -> Path | None:
        """The embedded database, None when another one is set."""
        return Path(self.database_url.removeprefix("sqlite:///")) if self.database_url.startswith("sqlite:") else None


def places_of(settings: Settings) -> Places:
    """The places that settings name, absolute."""
    directory = Path(settings.where).resolve().parent
    data = Path(settings_text.resolve(settings, settings.site.data)).resolve()
    url = settings.database.url
    if not url:
        url = f"sqlite:///{data / 'gatebot.db'}"
    elif url.startswith("postgresql://"):
        url = "postgresql+psycopg://" + url.removeprefix("postgresql://")
    return Places(directory, data, url)


def images_of(settings: Settings, places: Places) -> Path:
    """Where root file systems of nodes are: as set, or where set-up built the one that fits this machine, if it did."""
    if settings.executor.images:
        return Path(settings_text.resolve(settings, settings.executor.images, below=str(places.data)))
    shared = images.shared()
    return shared if images.is_built(images.definition_for_host(), shared) else places.data / "images"


def load(directory: Path) -> tuple[Settings, Places]:
    """The settings of the site in a directory. Raises `NotFound` with the next step when there is none."""
    file = directory / SETTINGS
    try:
        text = file.read_text()
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(f"There is no site in {directory} (no {SETTINGS}). Make one: gatebot init {directory}") from None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise Unavailable(f"{file} cannot be read: {why}.") from None
    found = settings_text.load(text, str(file.resolve()), label_errors)
    return found, places_of(found)
