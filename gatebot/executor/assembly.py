# SPDX-License-Identifier: Apache-2.0
"""Puts the executor together, in two beats: `prepare` while the server may still be root, `executor` afterwards.

The only module of this room that knows which provider stands for which setting.
"""

from __future__ import annotations

import hashlib
import os
import platform
import socket
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .. import assets
from ..architectures import canonical
from ..clock import Clock
from ..errors import SettingsError, Unavailable
from ..reasons import Reason, reason
from . import host_mirrors
from .commands import Surroundings
from .egress import Egress, Proxied
from .errors_in_log import Rules
from .holding import HeldNodes
from .images import built, host_skeleton
from .imaging import Imaging
from .ledger import Ledger
from .logs import Logs
from .mirrors import Mirrors
from .model import DEFAULT_LABELS, HOST_IMAGE, LOCAL, Label, Network, Sandbox, Sizes
from .ports import Reports, Sources
from .providers import link
from .providers.bare import Bare
from .providers.local import Images, Local
from .providers.ports import Provider
from .service import Executor
from .solo import KeptFiles
from .staying import Stay
from .supply import Source, Supply
from .tools import Tools
from .workspaces import Workspaces

_WHEELS = "/opt/gatebot-wheels"
_ANSIBLE = "/opt/gatebot-ansible"
#: Where this installation's own environment is shown to jobs: its real place may be one that a sandbox covers.
_ENVIRONMENT = "/opt/gatebot-environment"
_BUNDLE = "/opt/gatebot-ca.crt"
#: Below the executor's directory, what is the server's also where root started it: what providers write to.
_OWN = ("layers", "mirrors", "containers", "machines", "kept")


@dataclass(frozen=True, slots=True)
class Prepared:
    """What had to be made before privileges were dropped. `directory` is the executor's own."""

    sandbox: Sandbox
    directory: Path
    images: Path
    logs: Path
    channel: socket.socket | Reason | None
    labels: Mapping[str, Label]
    mirrors: host_mirrors.HostMirrors
    wheelhouse: str
    imaging: Imaging


def prepare(
    site: Path,
    *,
    sandbox: Sandbox = Sandbox.AUTO,
    labels: Mapping[str, Label] = DEFAULT_LABELS,
    wheelhouse: str = "",
    images: Path | None = None,
    machines: Mapping[str, tuple[str, ...]] | None = None,
    server_uid: int | None = None,
) -> Prepared:
    """Make directories and start the privileged process; call before the event loop and before `link.drop`.

    `images` is where set-up built images, by default below the site like everything else; `machines` are the providers
    of virtual machines, with their architectures. `server_uid` is the uid that the server will drop to, when it is root
    now.
    """
    uid = os.geteuid() if server_uid is None else server_uid
    if sandbox is Sandbox.AUTO:
        sandbox = Sandbox.PRIVILEGED if os.geteuid() == 0 else Sandbox.ROOTLESS
    if sandbox is Sandbox.ROOTLESS and os.geteuid() == 0:
        # Root of such a namespace would be root of this machine, and own its files.
        raise SettingsError("[executor] sandbox = 'rootless' is for a server started without root; write 'auto'.")
    directory = site / "executor"
    images = images or site / "images"
    own = [directory / name for name in _OWN]
    for path in (*own, images):
        path.mkdir(parents=True, exist_ok=True)
    logs = site / "logs"
    logs.mkdir(exist_ok=True)
    if os.geteuid() == 0 and uid != 0:
        for path in (*own, logs):
            os.chown(path, uid, -1)
    mirrors = host_mirrors.read()
    channel: socket.socket | Reason | None = None
    if sandbox is not Sandbox.NONE:
        host_skeleton(images)
        shown = {_ENVIRONMENT: sys.prefix, _ANSIBLE: str(assets.path("jobs", "ansible"))}
        if not sys.base_prefix.startswith("/usr"):
            shown[sys.base_prefix] = sys.base_prefix
        shown |= {_WHEELS: wheelhouse} if wheelhouse else {}
        shown |= {_BUNDLE: mirrors.bundle} if mirrors.bundle else {}
        configuration = link.config_for(
            sandbox,
            root=directory / "layers",
            images=images,
            instance=hashlib.sha256(str(site.resolve()).encode()).hexdigest()[:12],
            shown=shown,
            full=any(label.network is Network.FULL for label in labels.values()),
            server_uid=uid,
        )
        try:
            channel = link.start(configuration, sandbox)
        except (Unavailable, FileNotFoundError) as problem:
            channel = getattr(problem, "reason", None) or reason("executor.sandbox-refused", told=str(problem))
    imaging = Imaging(images, machines or {}, sandboxed=channel is not None)
    return Prepared(sandbox, directory, images, logs, channel, labels, mirrors, wheelhouse, imaging)


def executor(
    prepared: Prepared,
    *,
    reports: Reports,
    sources: Sources,
    clock: Clock,
    host: str,
    mirrors: Iterable[str] | None = None,
    git_server: Iterable[str] = (),
    slots: int | None = None,
    sizes: Sizes | None = None,
    rules: Rules | None = None,
    keep: tuple[Path, Stay] | None = None,
    patience: float = 0.0,
    providers: Mapping[str, Source] | None = None,
) -> tuple[Executor, Logs]:
    """The executor, to be started on the event loop. `mirrors` None: what this machine's own tools are set to.

    `git_server` are entries for the site's own address; its host stands for the site in workspaces (`src/HOST/`).
    `keep` is for the files of the homes of nodes, and for who may stay there, where nobody can ask for the nodes
    themselves. `patience` is how many seconds a build waits before it takes another alternative of its nodeset; 0: for
    ever.
    """
    listed = prepared.mirrors.hosts if mirrors is None else mirrors
    egress = Egress(Mirrors.of([*listed, *git_server]))
    logs = Logs(prepared.logs, clock, sizes, rules)
    for one in (providers or {}).values():
        if isinstance(one.provider, Proxied):
            one.provider.through(egress.listening, prepared.mirrors.bundle)
    layers = prepared.directory / "layers"
    local = Source(_local(prepared, layers, host, egress), lasting=prepared.channel is None)
    made = {LOCAL: local, **(providers or {})}
    supply = Supply(made, prepared.labels, clock, prepared.imaging.unready, patience)
    around, ledger = _surroundings(prepared), Ledger(prepared.directory / "kept")
    tools = Tools(
        supply=supply,
        workspaces=Workspaces(prepared.directory / "mirrors"),
        logs=logs,
        reports=reports,
        sources=sources,
        egress=egress,
        surroundings=around,
        layers=layers,
        held=(
            HeldNodes(supply, reports, clock, layers, around, ledger)
            if keep is None
            else KeptFiles(supply, reports, clock, layers, around, ledger, *keep)
        ),
    )
    return Executor(tools, slots=slots or max(os.cpu_count() or 1, 2)), logs


def _local(prepared: Prepared, layers: Path, host: str, egress: Egress) -> Provider:
    if prepared.channel is None:
        return Bare(layers, host=host)
    return Local(
        prepared.channel if isinstance(prepared.channel, Reason) else link.Link(prepared.channel),
        Images({HOST_IMAGE: HOST_IMAGE} | built(prepared.images), prepared.images),
        layers=layers,
        host=host,
        sandbox=prepared.sandbox,
        listening=egress.listening,
    )


def _surroundings(prepared: Prepared) -> Surroundings:
    bare = prepared.channel is None
    environment = sys.prefix if bare else _ENVIRONMENT
    wheels = (prepared.wheelhouse if bare else _WHEELS) if prepared.wheelhouse else ""
    bundle = (prepared.mirrors.bundle if bare else _BUNDLE) if prepared.mirrors.bundle else ""
    return Surroundings(
        arch=canonical(platform.machine()),
        ansible=(f"{environment}/bin/python", f"{environment}/bin/ansible-playbook"),
        callbacks=str(assets.path("jobs", "ansible")) if bare else _ANSIBLE,
        bundle=bundle,
        wheelhouse=wheels,
        indexes=prepared.mirrors.environment,
        proxied=not bare,
    )
