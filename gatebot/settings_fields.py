# SPDX-License-Identifier: Apache-2.0
"""Every setting of a site: its name, type, default, unit, and what it is for.

Only frozen values; those of providers are in `settings_providers.py`. Each field tells about itself; `gatebot.toml`,
`docs/config.md` and the checks of a file are made from that. Secrets are never settings: a setting names the file that
holds one. Reading a file is `settings.py`'s work, which is what others import.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import urlsplit

from .settings_irc import Irc
from .settings_outside import Accounts, Mail, Oidc, Replication, Tracker, Webhook
from .settings_providers import Provider
from .settings_sisters import Announce, Board, Status
from .settings_words import BYTES, GIB, MIB, setting


@dataclass(frozen=True, slots=True)
class Site:
    """Who this site is, and where its files are."""

    name: str = setting("gatebot", "The site's name, at the top of every page.")
    data: str = setting(
        ".", "Where repositories, logs and the embedded database are kept; relative to this file.", unit="directory"
    )


@dataclass(frozen=True, slots=True)
class Web:
    """Where browsers, git and other clients find the site."""

    listen: str = setting("127.0.0.1:8080", "The address and port to listen on.", unit="host:port")
    url: str = setting(
        "", "The site's address as people type it; empty: made from `listen`. Links are made from it.", unit="URL"
    )
    tls_certificate: str = setting("", "The certificate chain for HTTPS; empty: plain HTTP.", unit="PEM file")
    tls_key: str = setting("", "The private key of the certificate.", unit="PEM file")
    trusted_proxies: tuple[str, ...] = setting(
        (), "Reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.", unit="addresses or networks"
    )


@dataclass(frozen=True, slots=True)
class Ssh:
    """Where git and Gerrit's commands are reached over SSH."""

    listen: str = setting(
        "127.0.0.1:29418", "The address and port to listen on; empty: there is no SSH.", unit="host:port"
    )
    address: str = setting(
        "", "The host and port as people type them; empty: the host of the site's address, the port of `listen`, "
        "or none where `listen` is of this machine alone and the site's address is not.", unit="host:port",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Database:
    """Where the truth is kept."""

    url: str = setting(
        "",
        "Empty: SQLite in the data directory. Else postgresql://USER@HOST/NAME without a password, "
        "which libpq reads from PGPASSFILE, ~/.pgpass or PGPASSWORD.",
        unit="URL",
    )


@dataclass(frozen=True, slots=True)
class Git:
    """What a push may bring."""

    max_pack: int = setting(512 * MIB, "The largest pack of one push.", unit=BYTES)
    max_refs: int = setting(100, "The most refs that one push may change.", unit="refs", least=1)
    max_changes: int = setting(100, "The most commits that one push may send for review.", unit="commits", least=1)
    change_id: str = setting(
        "lenient",
        "A pushed commit without a Change-Id line: `lenient` gives its change one and prints the command that adds it; "
        "`strict` refuses the push, as Gerrit does.",
        choices=("lenient", "strict"),
    )
    default_branch: str = setting(
        "main", "The branch that a new project begins with where nothing else is asked for; Gerrit's is `master`."
    )


@dataclass(frozen=True, slots=True)
class Gate:
    """The tenant whose pipelines gate the hosted projects."""

    tenant: str = setting("main", "The name of the site's own tenant.")
    config_projects: tuple[str, ...] = setting(
        ("gatebot-config",), "Projects that define pipelines and trusted jobs.", unit="projects"
    )
    tenants_file: str = setting(
        "",
        "A Zuul tenant file that describes all tenants; empty: one tenant with every hosted project.",
        unit="YAML file",
    )
    submit_whole_topic: bool = setting(
        False, "Whether submitting a change submits all open changes of its topic with it, as Gerrit can."
    )


@dataclass(frozen=True, slots=True)
class Executor:
    """Where jobs run."""

    enabled: bool = setting(True, "Whether this process runs jobs.")
    slots: int = setting(0, "How many builds run at the same time; 0: as many as there are processors.", least=0)
    sandbox: str = setting(
        "auto",
        "How jobs are kept apart from this machine: auto takes the best that works and never none; "
        "none lets jobs run as the server itself, and every page says so.",
        choices=("auto", "privileged", "rootless", "none"),
    )
    images: str = setting(
        "",
        "Root file systems of nodes, relative to the data directory; empty: this machine's own, which set-up and "
        "`gatebot image build` make, or, where there are none, `images`.",
        unit="directory",
    )
    wheelhouse: str = setting(
        "", "Wheels that every job may install from without a network, relative to this file; empty: none.",
        unit="directory",
    )  # fmt: skip
    alternatives_after: int = setting(
        0,
        "How long a build waits for the first possible alternative of its nodeset before it takes another that is "
        "free; 0: for ever, as Zuul does.",
        unit="minutes",
        least=0,
    )
    run_as: str = setting("gatebot", "The user that the server becomes when it is started as root.", unit="user")


@dataclass(frozen=True, slots=True)
class Dispatch:
    """How builds reach executors on other machines."""

    nats: str = setting(
        "",
        "Where builds are handed to executors on other machines: `embedded` runs a NATS server here, else the address "
        "of the site's own (nats:// or tls://); empty: only this process runs builds.",
        unit="URL or embedded",
    )
    listen: str = setting("127.0.0.1:4222", "Where the embedded NATS server listens.", unit="host:port")
    url: str = setting(
        "", "The address of NATS as executors reach it; empty: made from `nats`, or from `listen` and the site's host.",
        unit="URL",
    )  # fmt: skip
    password_file: str = setting(
        "", "Holds the password of the user `gatebot` on a NATS server of the site's own.", unit="file"
    )


@dataclass(frozen=True, slots=True)
class Network:
    """What jobs may reach."""

    mirrors: tuple[str, ...] = setting(
        (),
        "Hosts that jobs with `network: mirrors` may reach; empty: those that this host's pip, npm and apt are set to.",
        unit="hosts, *.domains or networks",
    )


@dataclass(frozen=True, slots=True)
class Connection:
    """Another review site whose changes are gated here; its name is that of the tenant file."""

    driver: str = setting("gerrit", "What it is.", choices=("gerrit",))
    url: str = setting("", "The address of its web site and of its REST.", unit="URL")
    user: str = setting("gatebot", "The account of the gate there.")
    password_file: str = setting("", "Holds the account's HTTP password.", unit="file")
    server: str = setting("", "The host of its SSH; empty: that of `url`.", unit="host")
    ssh_port: int = setting(29418, "The port of its SSH.", least=1)
    ssh_key: str = setting("", "The account's private key, without a passphrase.", unit="file")
    known_hosts: str = setting("", "Holds the server's host key, as `ssh-keyscan` prints it.", unit="file")
    landing: str = setting(
        "submit",
        "How changes merge: `submit` lets Gerrit make the merge, whose files are then compared with those that were "
        "tested; `push` moves the branch to the tested commit itself, and needs the permission Push.",
        choices=("submit", "push"),
    )
    visible_to: str = setting(
        "signed-in", "Who may see its changes and builds here.", choices=("everybody", "signed-in", "administrators")
    )


@dataclass(frozen=True, slots=True)
class ThirdPartyCi:
    """A CI elsewhere that votes here with an account of its own; the name is the one that people ask it by."""

    account: str = setting("", "The user name of its account; empty: the name of the section.")
    recheck: str = setting(
        "",
        "What people write to ask it again, as an RE2 expression; empty: `recheck-NAME` or `NAME recheck` on a line.",
        unit="expression",
    )
    projects: tuple[str, ...] = setting((), "The projects that it tests, as RE2 expressions; empty: all.")
    label: str = setting("Verified", "The label that it votes on.")
    url: str = setting("", "Where people read about it.", unit="URL")
    contact: str = setting("", "Whom people ask about it, such as a mail address.")


@dataclass(frozen=True, slots=True)
class Meetings:
    """The meeting bot."""

    enabled: bool = setting(True, "Whether the bot holds meetings and logs channels on the networks of [[irc]].")
    schedule_project: str = setting("", "The project with the files of planned meetings; empty: none are planned.")
    schedule_branch: str = setting("", "The branch with these files; empty: the project's default branch.")
    schedule_directory: str = setting("meetings", "The directory of these files in the project.")
    reminder_minutes: int = setting(
        10, "How long before a planned meeting its channel is reminded of it; 0: not at all.", unit="minutes", least=0
    )
    announce_missed: bool = setting(False, "Whether a channel is told that a planned meeting did not happen.")
    notice_hours: int = setting(
        6, "How long a #status notice stands at the top of every page; 0: not at all.", unit="hours", least=0
    )
    confirm_votes: bool = setting(False, "Whether who votes in a meeting is told by a notice that the vote counts.")


@dataclass(frozen=True, slots=True)
class Logs:
    """Logs and artifacts of builds."""

    keep_days: int = setting(90, "How long logs of builds that passed are kept.", unit="days", least=1)
    keep_failed_days: int = setting(180, "How long logs of all other builds are kept.", unit="days", least=1)
    keep_artifacts_days: int = setting(
        90, "How long artifacts are kept, but never longer than the log.", unit="days", least=1
    )
    max_total: int = setting(
        1024 * GIB, "The largest sum of everything that builds leave; the oldest goes first.", unit=BYTES
    )
    max_log: int = setting(200 * MIB, "The longest log of one build; what comes after is cut.", unit=BYTES)
    max_artifacts: int = setting(GIB, "The largest sum of one build's artifacts.", unit=BYTES)
    error_rules: str = setting(
        "",
        "Rules that find the first error of a log, asked before those of `jobs/log-errors.toml`; empty: none.",
        unit="TOML file",
    )
    store: str = setting(
        "", "Where logs and artifacts of ended builds are moved, s3://BUCKET/PREFIX; empty: they stay here.", unit="URL"
    )
    store_endpoint: str = setting("", "The address of an S3-compatible service; empty: AWS.", unit="URL")
    store_credentials: str = setting(
        "", "Holds aws_access_key_id and aws_secret_access_key; empty: they are in the environment.", unit="file"
    )


@dataclass(frozen=True, slots=True)
class Limits:
    """What strangers may cost this site."""

    max_body: int = setting(10 * MIB, "The largest body of a request that is not a push.", unit=BYTES)
    git_processes: int = setting(8, "How many git processes serve clients at the same time.", least=1)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a site. `where` is the file they came from; paths in them are relative to its directory."""

    site: Site = Site()
    web: Web = Web()
    ssh: Ssh = Ssh()
    database: Database = Database()
    git: Git = Git()
    gate: Gate = Gate()
    executor: Executor = Executor()
    dispatch: Dispatch = Dispatch()
    network: Network = Network()
    mail: Mail = field(default_factory=Mail)
    accounts: Accounts = field(default_factory=Accounts)
    oidc: Oidc = field(default_factory=Oidc)
    meetings: Meetings = Meetings()
    logs: Logs = Logs()
    limits: Limits = Limits()
    irc: tuple[Irc, ...] = ()
    connections: Mapping[str, Connection] = field(default_factory=lambda: MappingProxyType({}))
    third_party_ci: Mapping[str, ThirdPartyCi] = field(default_factory=lambda: MappingProxyType({}))
    replication: Mapping[str, Replication] = field(default_factory=lambda: MappingProxyType({}))
    webhook: Mapping[str, Webhook] = field(default_factory=lambda: MappingProxyType({}))
    tracker: Mapping[str, Tracker] = field(default_factory=lambda: MappingProxyType({}))
    announce: Mapping[str, Announce] = field(default_factory=lambda: MappingProxyType({}))
    status: Mapping[str, Status] = field(default_factory=lambda: MappingProxyType({}))
    board: Mapping[str, Board] = field(default_factory=lambda: MappingProxyType({}))
    providers: Mapping[str, Provider] = field(default_factory=lambda: MappingProxyType({}))
    labels: Mapping[str, Mapping[str, object]] = field(default_factory=lambda: MappingProxyType({}))
    where: str = "gatebot.toml"

    @property
    def url(self) -> str:
        """The site's address without a slash at its end."""
        if self.web.url:
            return self.web.url.rstrip("/")
        scheme = "https" if self.web.tls_certificate else "http"
        return f"{scheme}://{self.web.listen}"

    @property
    def ssh_address(self) -> str:
        """Where people reach SSH, HOST:PORT; empty where they do not: there is none, or for this machine alone."""
        if self.ssh.address or not self.ssh.listen:
            return self.ssh.address if self.ssh.listen else ""
        listening, _, port = self.ssh.listen.rpartition(":")
        host = urlsplit(self.url).hostname or "localhost"
        return "" if _is_inside(listening) and not _is_inside(host) else f"{host}:{port}"


def _is_inside(host: str) -> bool:
    """Whether a host is this machine, as seen from itself alone."""
    return host in ("localhost", "::1", "[::1]") or host.startswith("127.")


SECTIONS: tuple[tuple[str, type], ...] = (
    ("site", Site),
    ("web", Web),
    ("ssh", Ssh),
    ("database", Database),
    ("git", Git),
    ("gate", Gate),
    ("executor", Executor),
    ("dispatch", Dispatch),
    ("network", Network),
    ("mail", Mail),
    ("accounts", Accounts),
    ("oidc", Oidc),
    ("meetings", Meetings),
    ("logs", Logs),
    ("limits", Limits),
    ("irc", Irc),
    ("connections", Connection),
    ("third_party_ci", ThirdPartyCi),
    ("replication", Replication),
    ("webhook", Webhook),
    ("tracker", Tracker),
    ("announce", Announce),
    ("status", Status),
    ("board", Board),
)
"""The sections of the file in the order in which it shows them; the last nine may be there several times."""
