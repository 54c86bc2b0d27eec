# SPDX-License-Identifier: Apache-2.0
"""Uses the cloud as people do: image, network, router, server, floating address, volume, object. One session for all.

Each part raises `Failed` with what was expected and what there was instead.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openstack

from . import calls, guest
from .options import Options, Role, Service
from .parts import parts
from .processes import Failed
from .server import Ground, Server
from .timings import Timings
from .watching import Watch

_GREETING = b"hello, object"


class Proof:
    """What was made in the cloud while it was proven to work."""

    def __init__(self, options: Options, timings: Timings, work: Path, logs: Path) -> None:
        """Sign in as the administrator. `work` has the guest's image, and says when a service of the cloud ends."""
        self._options = options
        self._deadline = options.deadline
        self._step = timings.step
        calls.keep(logs / "services/openstack.log")
        self._cloud = openstack.connect(cloud="admin")
        self._work = work
        self._logs = logs
        self._ground = Ground(self._cloud, options, work, logs, self._all_live)

    def all(self) -> None:
        """Everything that the services of this cloud allow."""
        step, options = self._step, self._options
        if Service.GLANCE in options:
            with step("image uploaded"):
                image = self._image()
        if Service.NEUTRON in options:
            with step("network and router"):
                network = self._network()
        if Service.NOVA in options:
            with step("server active"):
                self._before_servers()
                server = Server.boot(self._ground, "proof", image, network, self._zoned(options.host))
            if not options.fake:
                with step("guest ready"):
                    server.console("console.log")
                with step("ssh by floating address"):
                    server.reach()
            self._others(server, image, network)
        if Service.CINDER in options and Service.NOVA in options and not options.fake:
            with step("volume attached and seen"):
                self._volume(server)
        if Service.SWIFT in options:
            with step("object put and got"):
                self._object()
        self._all_live()

    def across(self, upgrade: Callable[[], None]) -> None:
        """Have the services upgraded while the server of `all` runs, and use the cloud again."""
        cloud = self._cloud
        made = cloud.compute.find_server("proof", ignore_missing=False)
        port = next(iter(cloud.network.ports(device_id=made.id)))
        address = next(iter(cloud.network.ips(port_id=port.id))).floating_ip_address
        apis = {part.name: where for part in parts(self._options) if (where := part.url(self._options))}
        watch = Watch(address, apis, self._logs / "ping.log")
        try:
            with self._step("services upgraded"):
                upgrade()
        finally:
            watch.end(self._logs / "upgrade.json")
        with self._step("the guest of before answers"):
            lack = f"of before the upgrade cannot be reached by ssh at {address}"
            Server(self._ground, made, address).says("cat /proc/uptime", bool, lack)
        with self._step("server active after the upgrade"):
            network = cloud.network.get_network(port.network_id)
            Server.boot(self._ground, "after", cloud.get_image("gate"), network)
        self._all_live()

    def waits(self, path: Path) -> None:
        """Wait for a file that `serve` makes; a service that ends meanwhile is the reason why it does not."""
        deadline = time.monotonic() + self._deadline
        while not path.exists():
            self._all_live()
            if time.monotonic() > deadline:
                told = f"After {self._deadline:.0f} s services are still not {path.name}."
                raise Failed(f"{told} See the end of cloud/timings.tsv.")
            time.sleep(self._ground.pause)

    def _zoned(self, host: str) -> str:
        """A host as servers are put there; empty where there is no choice."""
        return "" if self._options.role is Role.ALL else host

    def _others(self, first: Server, image: Any, network: Any) -> None:
        """A server on each other host of the cloud; it and the first one have to reach each other."""
        if self._options.role is not Role.ALL:
            for service in self._cloud.compute.services(binary="nova-compute"):
                print(f"  nova-compute on {service.host}: {service.state}", flush=True)
        for host in [name for name in self._options.hosts if name != self._options.host]:
            with self._step(f"server active on {host}"):
                other = Server.boot(self._ground, f"proof-{host}", image, network, host)
            if self._options.fake:
                continue
            with self._step(f"guest on {host} ready"):
                other.console(f"console-{host}.log")
            with self._step(f"ssh by floating address to {host}"):
                other.reach()
            with self._step(f"guests reach each other: {self._options.host}, {host}"):
                for one, another in ((first, other), (other, first)):
                    told = one.says(f"ping -c 3 {another.inside}", bool, f"does not reach {another.inside}")
                    print(f"  {one.inside}: {told.splitlines()[-1]}", flush=True)

    def _image(self) -> Any:
        properties = {f"hw_{name}": "virtio" for name in ("disk_bus", "vif_model", "rng_model")}
        if not self._options.guest.image:
            parts = {part: self._uploaded(f"gate-{part}", f"guest.{part}").id for part in guest.parts(self._work)}
            properties |= guest.properties(self._options.machine, parts)
        return self._uploaded("gate", "guest.image", self._options.guest.format, **properties)

    def _uploaded(self, name: str, file: str, form: str = "raw", **properties: str) -> Any:
        return self._cloud.create_image(
            name, filename=str(self._work / file), disk_format=form, container_format="bare", wait=True,
            timeout=self._deadline, visibility="public", **properties,
        )  # fmt: skip

    def _network(self) -> Any:
        network = self._cloud.network
        private = network.create_network(name="private")
        subnet = network.create_subnet(network_id=private.id, ip_version=4, cidr="10.1.0.0/24", name="private")
        public = network.create_network(
            name="public", is_router_external=True, provider_network_type="flat", provider_physical_network="public"
        )
        network.create_subnet(
            network_id=public.id, ip_version=4, cidr="172.24.4.0/24", gateway_ip="172.24.4.1", enable_dhcp=False,
            name="public", allocation_pools=[{"start": "172.24.4.10", "end": "172.24.4.200"}],
        )  # fmt: skip
        router = network.create_router(name="router", external_gateway_info={"network_id": public.id})
        network.add_interface_to_router(router, subnet_id=subnet.id)
        return private

    def _before_servers(self) -> None:
        """The key, the security group and the flavor of all servers."""
        cloud = self._cloud
        key = self._work / "guest-key"
        if not key.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", str(key)], check=True)
        cloud.compute.create_keypair(name="gate", public_key=key.with_suffix(".pub").read_text())
        group = cloud.network.create_security_group(name="open")
        for protocol in ("tcp", "icmp"):
            cloud.network.create_security_group_rule(
                security_group_id=group.id, direction="ingress", protocol=protocol, ethertype="IPv4"
            )
        wanted = self._options.guest
        disk = 0 if wanted.image else 1  # 0: as large as the image says
        cloud.compute.create_flavor(
            name="nano", ram=guest.memory(self._options.machine, wanted.memory), disk=disk, vcpus=1
        )

    def _volume(self, server: Server) -> None:
        volume = self._cloud.create_volume(size=1, name="proof", volume_type="files", wait=True, timeout=self._deadline)
        self._cloud.attach_volume(server.made, volume, wait=True, timeout=self._deadline)
        told = server.says("cat /proc/partitions", lambda said: "vdb" in said, "does not see the volume as vdb")
        print("  " + next(line.strip() for line in told.splitlines() if "vdb" in line), flush=True)

    def _object(self) -> None:
        store = self._cloud.object_store
        store.create_container(name="proof")
        store.upload_object(container="proof", name="greeting", data=_GREETING)
        found = store.download_object("greeting", container="proof")
        if found != _GREETING:
            raise Failed(f"An object was put as {_GREETING!r} and got as {found!r}.")

    def _all_live(self) -> None:
        """A service that ended is the reason, whatever is waited for."""
        failed = self._work / "failed"
        if failed.exists():
            raise Failed(failed.read_text())
