# SPDX-License-Identifier: Apache-2.0
"""The processes that OpenStack's services are of: their names, what each is started with, and their order.

Pure. Services stand in the order in which OpenStack's documentation upgrades them, and so do the processes of each.
"""

from __future__ import annotations

from dataclasses import dataclass

from .configs import COMPUTE_FILE, METADATA_FILE, NEUTRON_FILES, PORTS, url
from .options import Options, Role, Service

_LOG = '%(addr) [%(ltime)] "%(method) %(uri) %(proto)" %(status) %(rsize) %(msecs)ms'
#: What is asked of an API that has nothing at its root.
_ASKED = {"swift": "healthcheck"}
#: Gives guests their metadata: of no use without nova.
METADATA_AGENT = "neutron-ovn-metadata-agent"
_NEUTRON = tuple(word for path in NEUTRON_FILES for word in ("--config-file", path))
_METADATA = ("--config-file", NEUTRON_FILES[0], "--config-file", METADATA_FILE)


@dataclass(frozen=True, slots=True)
class Part:
    """A process of a service: a program of its name, or, with a `module`, an application of WSGI on its port."""

    service: Service
    name: str
    words: tuple[str, ...] = ()
    module: str = ""
    program: str = ""  # where it is called otherwise
    broker: bool = False  # of no use where nobody sends messages
    shim: bool = False  # changes its groups, which the kernel refuses where one user is mapped
    describes: bool = False  # tells libvirt what a guest is
    everywhere: bool = False  # on each host that has guests
    chunks: bool = False  # uploads come in chunks, which uWSGI passes on only in this mode

    def url(self, options: Options) -> str:
        """Where it answers over HTTP; empty: it does not."""
        return f"{url(options, self.name)}/{_ASKED.get(self.name, '')}" if self.name in PORTS else ""

    def line(self, options: Options, began: int) -> tuple[str, ...]:
        """What it is started with. `began`: the moment, in seconds, which processes of neutron tell one another by."""
        if not self.module:
            return (self.program or self.name, *self.words)
        more = ("--http-chunked-input", "--http-raw-body", "--http-timeout", "1800") if self.chunks else ()
        return (
            "uwsgi", "--http" if self.chunks else "--http-socket", f"{options.controller}:{PORTS[self.name]}", *more,
            "--module", self.module, "--virtualenv", options.venv,
            "--master", "--processes", "1", "--threads", "4", "--enable-threads", "--lazy-apps", "--thunder-lock",
            "--die-on-term", "--need-app", "--buffer-size", "65535", "--procname-prefix", f"{self.name} ",
            "--socket-timeout", "120",  # of a client that is emulated, too
            # Clients keep connections that uWSGI closes: their second request would fail.
            "--add-header", "Connection: close", "--logformat", _LOG, "--set", f"start-time={began}", *self.words,
        )  # fmt: skip


def _swift(name: str, kind: str) -> Part:
    words = (f"/etc/swift/{kind}.conf", "-v")
    return Part(Service.SWIFT, name, words, program=f"swift-{kind}-server", shim=True)


def _api(service: Service, name: str, module: str, *words: str, chunks: bool = False) -> Part:
    return Part(service, name, words, f"{module}:application", chunks=chunks)


_ALL = (
    _api(Service.KEYSTONE, "keystone", "keystone.wsgi.api"),
    _api(Service.GLANCE, "glance", "glance.wsgi.api", chunks=True),
    _api(Service.PLACEMENT, "placement", "placement.wsgi.api"),
    Part(Service.NOVA, "nova-conductor"),
    Part(Service.NOVA, "nova-scheduler"),
    _api(Service.NOVA, "nova", "nova.wsgi.osapi_compute"),
    _api(Service.NOVA, "metadata", "nova.wsgi.metadata"),
    Part(Service.NOVA, "nova-compute", ("--config-file", COMPUTE_FILE), describes=True, everywhere=True),
    _api(Service.NEUTRON, "neutron", "neutron.wsgi.api", "--env", f"OS_NEUTRON_CONFIG_FILES={';'.join(NEUTRON_FILES)}"),
    Part(Service.NEUTRON, "neutron-rpc-server", _NEUTRON, broker=True),
    Part(Service.NEUTRON, "neutron-periodic-workers", _NEUTRON, broker=True),
    Part(Service.NEUTRON, "neutron-ovn-maintenance-worker", _NEUTRON),
    Part(Service.NEUTRON, METADATA_AGENT, _METADATA, everywhere=True),
    Part(Service.CINDER, "cinder-scheduler"),
    Part(Service.CINDER, "cinder-volume"),
    _api(Service.CINDER, "cinder", "cinder.wsgi.api"),
    _swift("swift-account", "account"),
    _swift("swift-container", "container"),
    _swift("swift-object", "object"),
    _swift("swift", "proxy"),
)  # fmt: skip


def parts(options: Options, *services: Service) -> tuple[Part, ...]:
    """What a host of a cloud is of; only what these services are of, if any are named."""
    return tuple(
        part
        for part in _ALL
        if part.service in options
        and (not services or part.service in services)
        and (part.everywhere or options.role is not Role.COMPUTE)
        and (options.broker or not part.broker)
        and (Service.NOVA in options or part.name != METADATA_AGENT)
    )
