# SPDX-License-Identifier: Apache-2.0
"""Root file systems of nodes: the built image, and the skeleton that stands for the host's own /usr.

An image is a directory named after the hash of its definition; it is made once by set-up, with mmdebstrap,
as root or without. Jobs see it read-only below an overlay. Nothing is built at job time.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ..architectures import ARCHITECTURES, canonical
from ..errors import Unavailable
from ..reasons import reason
from . import image_script
from .host_mirrors import apt_sources
from .model import HOST_IMAGE, Label

#: How the names of images of virtual machines begin, which are no root file systems of sandboxes.
MACHINE = "vm-"
_ETC = {
    "passwd": "root:x:0:0:root:/root:/bin/sh\njob:x:1000:1000:job:/home/job:/bin/sh\n"
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "group": "root:x:0:\njob:x:1000:\nnogroup:x:65534:\n",
    "hosts": "127.0.0.1 localhost node\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "hostname": "node\n",
}
_ACCOUNTS = ("passwd", "group")
#: How Debian calls architectures where it does not call them as everybody.
DEBIAN = {"x86_64": "amd64", "ppc64le": "ppc64el"}
_EMPTY = ("dev", "proc", "sys", "tmp", "run", "var/tmp", "home/job", "opt/gatebot", "root", "mnt")
_PACKAGES = "python3,python3-dev,python3-venv,python3-pip,git,make,gcc,libc6-dev,ca-certificates,curl,file"
#: Of a foreign architecture nothing is run while the image is made, so everything that is needed is named.
FOREIGN_PACKAGES = (
    "base-files,base-passwd,bash,coreutils,dash,debianutils,diffutils,findutils,grep,gzip,hostname,libc-bin,mawk,"
    "perl-base,sed,tar,util-linux,xz-utils,procps,g++," + _PACKAGES
)
#: Where Python finds this package.
_PACKAGE = Path(__file__).resolve().parents[2]
_DROPPED = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*")


@dataclass(frozen=True, slots=True)
class Definition:
    """What an image is made of; the hash of that is its name. `mirror` is only where it is fetched from.

    `foreign`: programs of it do not run on this machine by themselves, so its packages are unpacked, not installed.
    `script` is run in it by root when all packages are there.
    """

    suite: str
    arch: str = "amd64"
    packages: str = _PACKAGES
    recipe: int = 1
    mirror: str = ""
    foreign: bool = False
    script: str = ""

    @property
    def name(self) -> str:
        """The directory of the image."""
        content = {name: value for name, value in asdict(self).items() if name not in ("mirror", "foreign", "script")}
        content |= {"script": self.script} if self.script else {}
        told = json.dumps(content, sort_keys=True).encode()
        return f"{self.begin}{hashlib.sha256(told).hexdigest()[:16]}"

    @property
    def begin(self) -> str:
        """How the names of all images of this release and architecture begin."""
        return f"{self.suite}-{self.arch}-"


def lay(root: Path) -> None:
    """What every root has, whatever it was made from."""
    for name in _EMPTY:
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "etc").mkdir(exist_ok=True)
    for name, text in _ETC.items():
        path = root / "etc" / name
        if name in _ACCOUNTS and path.is_file():
            text = with_others(text, path.read_text("utf-8"))
        _put(path, text.encode())


def with_others(ours: str, there: str) -> str:
    """Accounts or groups of our own, and those that packages have made for their services."""
    names = {line.partition(":")[0] for line in ours.splitlines()}
    return ours + "".join(f"{line}\n" for line in there.splitlines() if line.partition(":")[0] not in names)


def _put(path: Path, content: bytes) -> None:
    """Write a file unless it says that already; jobs of other sites may be reading it at this moment."""
    if path.is_file() and path.read_bytes() == content:
        return
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_bytes(content)
    new.chmod(0o644)
    new.replace(path)


def host_skeleton(images: Path) -> str:
    """The image `host`: links into /usr, which the sandbox binds read-only, and an /etc of our making."""
    root = images / HOST_IMAGE
    lay(root)
    for name in ("bin", "sbin", "lib", "lib64", "lib32", "libx32"):
        if os.path.lexists(f"/{name}") and not os.path.lexists(root / name):
            (root / name).symlink_to(f"usr/{name}")
    for name in ("usr", "etc/alternatives", "etc/ssl/certs"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("ld.so.cache", "localtime", "mime.types"):
        source = Path("/etc", name)
        if source.exists():
            _put(root / "etc" / name, source.read_bytes())
    (root / "etc/resolv.conf").touch()
    packages = Path("/var/lib/dpkg/status")  # of what is in /usr, for those who ask whether a package is there
    if packages.exists():
        (root / "var/lib/dpkg/updates").mkdir(parents=True, exist_ok=True)
        (root / "var/lib/dpkg/info").mkdir(exist_ok=True)
        _put(root / "var/lib/dpkg/status", packages.read_bytes())
    return HOST_IMAGE


def definition_for_host() -> Definition:
    """The image that fits this machine: its own Debian release, so that Ansible of this machine runs in it too."""
    told: dict[str, str] = {}
    with Path("/etc/os-release").open() as file:
        for line in file:
            name, _, value = line.strip().partition("=")
            told[name] = value.strip('"')
    suite = told.get("VERSION_CODENAME", "bookworm") if told.get("ID") == "debian" else "bookworm"
    arch = canonical(os.uname().machine)
    return Definition(suite, DEBIAN.get(arch, arch), mirror=next(iter(apt_sources()), ""))


def definition_for(arch: str) -> Definition:
    """The image that nodes of an architecture are made from by default; for that of this machine, its own."""
    own = definition_for_host()
    debian = DEBIAN.get(arch, arch)
    if debian == own.arch:
        return own
    suite = "trixie" if (debian, own.suite) == ("riscv64", "bookworm") else own.suite  # there is none before
    return Definition(suite, debian, FOREIGN_PACKAGES, mirror=own.mirror, foreign=True)


def definition_of(label: Label) -> Definition:
    """The image of a label: the default one of its architecture, and what the label has besides."""
    plain = definition_for(label.arch) if label.arch else definition_for_host()
    return with_more(plain, label.packages, label.script)


def with_more(plain: Definition, packages: Iterable[str], script: str) -> Definition:
    """An image with what a label has besides."""
    have = plain.packages.split(",")
    more = sorted(set(packages) - set(have))
    return replace(plain, packages=",".join([*have, *more]), script=script)


def arch_of(image: str) -> str:
    """The architecture of an image that was built, by the name of its directory; of others nothing is known."""
    _, _, rest = image.partition("-")
    debian = rest.partition("-")[0]
    known = {name: arch for arch, name in DEBIAN.items()}
    return known.get(debian, debian if debian in ARCHITECTURES else "")


def shared() -> Path:
    """Where set-up builds images for every site of this machine; without root, for every site of this user."""
    if os.geteuid() == 0:
        return Path("/var/lib/gatebot/images")
    return Path(os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share"), "gatebot", "images")


def is_built(definition: Definition, images: Path) -> bool:
    """Whether an image is there and complete."""
    return (images / definition.name / "etc/passwd").exists()


@contextlib.contextmanager
def alone(name: str, images: Path) -> Generator[int]:
    """Nobody else makes the image meanwhile, and everybody sees that somebody does.

    The descriptor says so as long as it is open, also in another process.
    """
    images.mkdir(mode=0o755, parents=True, exist_ok=True)
    with (images / f"{name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.utime(lock.fileno())
        (images / f"{name}.failed").unlink(missing_ok=True)
        yield lock.fileno()


def begun(name: str, images: Path) -> datetime | None:
    """Since when somebody is making an image; None: nobody is, or who was is gone."""
    with contextlib.suppress(FileNotFoundError), (images / f"{name}.lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return datetime.fromtimestamp(os.fstat(lock.fileno()).st_mtime, UTC)
    return None


def missing() -> tuple[str, ...]:
    """The Debian packages that must be installed before an image can be built here."""
    needed = {"mmdebstrap": "mmdebstrap"} | ({} if os.geteuid() == 0 else {"newuidmap": "uidmap"})
    return tuple(package for program, package in needed.items() if shutil.which(program) is None)


def build(definition: Definition, images: Path, progress: Callable[[str], None]) -> Path:
    """Make an image, unless it is there; takes a minute. Raises `Unavailable` with the end of what was printed."""
    target = images / definition.name
    if is_built(definition, images):
        return target
    if lacking := missing():
        raise Unavailable(f"An image needs {', '.join(lacking)}. Debian: apt-get install {' '.join(lacking)}")
    made = images / f"{definition.name}.new"
    with alone(definition.name, images) as held:
        if not is_built(definition, images):  # somebody else may have built it
            _finished(made, target, unpack(definition, made, progress, held))
    return target


def unpack(definition: Definition, made: Path, progress: Callable[[str], None], *held: int) -> list[str]:
    """Fetch the packages into a directory; what must stand before a program so that it is root of what is in there.

    `held` are descriptors that stay open as long as something writes there.
    """
    variant = "extract" if definition.foreign else "minbase"
    line = [
        "mmdebstrap",
        f"--variant={variant}",
        f"--architectures={definition.arch}",
        f"--include={definition.packages}",
    ]
    line += [f"--dpkgopt=path-exclude={path}" for path in _DROPPED]
    line += ["--aptopt=Acquire::Retries 3"]
    around = image_script.environment(definition.script)
    line += [f"--customize-hook={image_script.HOOK}"] if around and not definition.foreign else []
    line.append(definition.suite)
    source = [f"deb {definition.mirror} {definition.suite} main"] if definition.mirror else []
    removed(made)
    if os.geteuid() == 0:
        watched([*line, str(made), *source], progress, around, held)
        return _completed([], definition, made, progress, around)
    made.mkdir()
    archive = made.with_suffix(".tar")
    watched([*line, "--mode=unshare", str(archive), *source], progress, around, held)
    # Whoever owns the directory must be able to lay out /etc; in it the owner is root of the namespace.
    prefix = ["unshare", "--user", "--map-root-user", "--map-auto"]
    watched([*prefix, "tar", "-C", str(made), "--exclude=./dev/*", "-xf", str(archive)], progress)
    archive.unlink()
    return _completed(prefix, definition, made, progress, around)


def _completed(
    prefix: list[str], definition: Definition, made: Path, progress: Callable[[str], None], around: Mapping[str, str]
) -> list[str]:
    """What is still to be done where no program of a package was run: see `unpacked.py`."""
    if definition.foreign:
        line = [*prefix, sys.executable, "-P", "-m", "gatebot.executor.unpacked", str(made), definition.arch]
        watched(line, progress, {**around, "PYTHONPATH": str(_PACKAGE)})
    return prefix


def _finished(made: Path, target: Path, prefix: list[str]) -> Path:
    """Lay what every root has, then give the image its name: from then on it is complete."""
    script = "import sys, pathlib; from gatebot.executor import images; images.lay(pathlib.Path(sys.argv[1]))"
    environment = {**os.environ, "PYTHONPATH": str(_PACKAGE)}
    subprocess.run([*prefix, sys.executable, "-P", "-c", script, str(made)], check=True, env=environment)
    made.rename(target)
    return target


def removed(path: Path) -> None:
    """Take a directory away, also where its files belong to others of one's own ids."""
    if path.exists():
        prefix = [] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--map-auto"]
        subprocess.run([*prefix, "rm", "-rf", str(path)], check=True)


def watched(
    line: list[str],
    progress: Callable[[str], None],
    around: Mapping[str, str] | None = None,
    held: Collection[int] = (),
) -> None:
    """Run a program and hand on what it prints; its last lines are the message when it fails.

    `around` is added to its environment; `held` are descriptors that are open as long as it runs.
    """
    last: list[str] = []
    with subprocess.Popen(
        line,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **(around or {})},
        pass_fds=held,
    ) as process:
        assert process.stdout is not None
        for told in process.stdout:
            last = [*last[-4:], told.strip()]
            progress(told.rstrip())
    if process.returncode != 0:
        raise Unavailable(reason=reason("executor.image-failed", program=line[0], told=" ".join(last)[-500:]))


def _is_root(name: str) -> bool:
    """Whether a directory's name is that of a finished root file system."""
    return not name.endswith(".new") and not name.startswith(MACHINE)


def built(images: Path) -> dict[str, str]:
    """The images that are there, by name; `default` is the one that fits this machine."""
    found = {path.name: path.name for path in images.iterdir() if path.is_dir() and _is_root(path.name)}
    defaults = {f"default-{arch}": definition_for(arch).name for arch in ARCHITECTURES}
    defaults["default"] = definition_for_host().name
    return found | {name: directory for name, directory in defaults.items() if directory in found}
