# SPDX-License-Identifier: Apache-2.0
"""The values of the executor's room: labels of nodes, the steps of a run, how a step and a build end.

Only frozen values; what settings say of a label is read in `labels.py`. Nothing here runs anything. Sizes are bytes,
times seconds. Result names are Zuul's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from urllib.parse import quote_plus

from ..assignment import Checkout, Json, Playbook
from ..reasons import Reason
from .clouds.model import Server

MIB = 1024 * 1024
#: The image that is the host's own /usr, read-only, with an /etc of our making.
HOST_IMAGE = "host"
_ANY = Server()
#: The provider that every executor has: this machine.
LOCAL = "local"


class Network(StrEnum):
    """What a node may reach: nothing, the git server and the listed hosts by proxy, or all that the host reaches."""

    NONE = "none"
    MIRRORS = "mirrors"
    FULL = "full"


class Sandbox(StrEnum):
    """How jobs are kept apart from this machine; AUTO takes the best that can be probed, never NONE."""

    AUTO = "auto"
    PRIVILEGED = "privileged"
    ROOTLESS = "rootless"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Label:
    """A kind of node that jobs ask for by name. `disk` is what a job may write, workspace included.

    `arch` and `execution` are what its nodes are, of what its provider has; empty: the best that there is. On nodes of
    a `nested` label jobs may make namespaces and mounts of their own, as whole clouds in them need. Debian's `packages`
    are in its image besides, and what `script` makes there, which root runs once when the image is built. `server` is
    what its servers are in a cloud.
    """

    name: str
    image: str = "default"
    network: Network = Network.MIRRORS
    memory: int = 2048 * MIB
    disk: int = 2048 * MIB
    cpus: float = 2.0
    processes: int = 1024
    arch: str = ""
    privileged: bool = False
    provider: str = LOCAL
    execution: str = ""
    nested: bool = False
    packages: tuple[str, ...] = ()
    script: str = ""
    server: Server = _ANY

    @property
    def imaged(self) -> bool:
        """Whether it has an image of its own, which is the default one and more."""
        return bool(self.packages or self.script)

    @property
    def plain(self) -> bool:
        """Whether its nodes are of the default image, or of this machine's programs where that is not built."""
        return self.provider == LOCAL and self.image == "default" and not self.imaged


#: The labels of a site that sets none.
DEFAULT_LABELS: Mapping[str, Label] = {
    "small": Label("small"),
    "debian": Label("debian"),
    "offline": Label("offline", network=Network.NONE),
}


#: The directory of the required repositories, below the job's home.
SRC = "src"


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are, as the job sees them: its home, the read-only room for playbooks, the site's host name.

    `own` is for files of one step that no other sees; `scheme` is the job's `workspace-scheme`; `user` who the job is.
    `bundle` are certificates on a node that is not made of this machine's files, but reaches what those reach.
    """

    home: str
    play: str
    host: str
    own: str = "/run/gatebot"
    scheme: str = "golang"
    user: str = "job"
    bundle: str = ""

    @property
    def artifacts(self) -> str:
        """Files left here are kept with the log."""
        return f"{self.home}/artifacts"

    @property
    def logs(self) -> str:
        """Where roles of Zuul's leave logs, which are kept as artifacts are."""
        return f"{self.home}/logs"

    @property
    def result(self) -> str:
        """The file in which a job returns data."""
        return f"{self.home}/result.json"

    @property
    def secret_result(self) -> str:
        """The file in which a job returns data that nobody but the jobs after it may see."""
        return f"{self.home}/secret-result.json"

    @property
    def variables(self) -> str:
        """All variables as JSON."""
        return f"{self.play}/variables.json"

    @property
    def inventory(self) -> str:
        """The nodes and their variables, for playbooks."""
        return f"{self.play}/inventory.json"

    def extra(self, *, secretive: bool) -> str:
        """Variables that nothing overrides, for playbooks; in a second spelling for those that are given secrets."""
        return f"{self.play}/extra-{'plain' if secretive else 'live'}.json"

    @property
    def secretive_inventory(self) -> str:
        """The inventory for playbooks that are given secrets."""
        return f"{self.play}/inventory-plain.json"

    @property
    def workspace(self) -> str:
        """Where the repositories are."""
        return f"{self.home}/{SRC}" if self.scheme == "flat" else f"{self.home}/{SRC}/{self.host}"

    def src_dir(self, project: str) -> str:
        """The work tree of a required repository, below the home."""
        match self.scheme:
            case "flat":
                return f"{SRC}/{project.rpartition('/')[2]}"
            case "unique":
                return f"{SRC}/{self.host}/{project.partition('/')[0]}/{quote_plus(project)}"
            case _:
                return f"{SRC}/{self.host}/{project}"

    def source(self, project: str) -> str:
        """The work tree of a required repository."""
        return f"{self.home}/{self.src_dir(project)}"

    def playbooks(self, checkout: Checkout) -> str:
        """The work tree of a repository that is there for playbooks and roles only."""
        return f"{self.play}/{checkout.branch}/{self.host}/{checkout.project}"


class Phase(StrEnum):
    PRE = "pre-run"
    RUN = "run"
    POST = "post-run"
    CLEANUP = "cleanup"


@dataclass(frozen=True, slots=True)
class Step:
    """One playbook or script of a build; `index` counts within its phase."""

    phase: Phase
    index: int
    playbook: Playbook


class Ending(Enum):
    """How a step ended. LOST: the node went away; UNREACHABLE: a playbook says so; ABORTED: somebody asked for it."""

    OK = "ok"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    OUT_OF_MEMORY = "out of memory"
    DISK_FULL = "disk full"
    LOST = "lost"
    UNREACHABLE = "unreachable"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True)
class StepDone:
    """A step that ran: its exit code (negative: the signal), its seconds, and what hindered its program."""

    step: Step
    ending: Ending
    code: int = 0
    seconds: float = 0.0
    hindrance: Reason | None = None


class Result(StrEnum):
    """Zuul's result names that an executor can give."""

    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    POST_FAILURE = "POST_FAILURE"
    TIMED_OUT = "TIMED_OUT"
    RETRY = "RETRY"
    RETRY_LIMIT = "RETRY_LIMIT"
    ABORTED = "ABORTED"
    CANCELED = "CANCELED"
    NODE_FAILURE = "NODE_FAILURE"
    CONFIG_ERROR = "CONFIG_ERROR"
    DISK_FULL = "DISK_FULL"
    SECRET_EXPOSURE = "SECRET_EXPOSURE"  # noqa: S105 - a result's name
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a build ends. `retry` asks for another attempt."""

    result: Result
    reason: Reason | None = None
    retry: bool = False


@dataclass(frozen=True, slots=True)
class FoundError:
    """The first error of a log: its 1-based line and its text; line 0 means none was found."""

    line: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Sizes:
    """The most bytes that one build may leave."""

    log: int = 200 * MIB
    artifacts: int = 1024 * MIB


@dataclass(frozen=True, slots=True)
class Returned:
    """What a job gave back (`zuul_return`, or the files `$GATEBOT_RESULT` and `$GATEBOT_SECRET_RESULT` of a script).

    `secret_data` is for the jobs after it alone. `child_jobs` are the only ones of those that may run, None: all.
    `redactions` are covered in the log from the next step on, and go nowhere else.
    """

    data: Mapping[str, Json] = field(default_factory=dict[str, Json])
    secret_data: Mapping[str, Json] = field(default_factory=dict[str, Json])
    retry: bool = True
    pause: bool = False
    child_jobs: tuple[str, ...] | None = None
    artifacts: tuple[tuple[str, str], ...] = ()
    redactions: tuple[str, ...] = ()
