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
from .options import Options, Service
from .parts import parts
from .processes import Failed
from .timings import Timings
from .watching import Watch

_GREETING = b"hello, object"


class Proof:
    """What was made in the cloud while it was proven to work."""

    def __init__(self, options: Options, timings: Timings, work: Path, logs: Path) -> None:
        """Sign in as the administrator. `work` has the guest's image, and says when a service of the cloud ends."""
        self._options = options
        self._deadline, self._pause = options.deadline, 0.3 * options.patience
        self._step = timings.step
        calls.keep(logs / "services/openstack.log")
        self._cloud = openstack.connect(cloud="admin")
        self._work = work
        self._logs = logs
        self._server: Any = None
        self._address = ""

    def all(self) -> None:
        """Everything that the services of this cloud allow."""
        step = self._step
        if Service.GLANCE in self._options:
            with step("image uploaded"):
                image = self._image()
        if Service.NEUTRON in self._options:
            with step("network and router"):
                network = self._network()
        if Service.NOVA in self._options:
            with step("server active"):
                self._server = self._boot(image, network)
            if not self._options.fake:
                with step("guest ready"):
                    self._console()
                with step("ssh by floating address"):
                    self._ssh()
        if Service.CINDER in self._options and self._server is not None and not self._options.fake:
            with step("volume attached and seen"):
                self._volume()
        if Service.SWIFT in self._options:
            with step("object put and got"):
                self._object()
        self._all_live()

    def across(self, upgrade: Callable[[], None]) -> None:
        """Have the services upgraded while the server of `all` runs, and use the cloud again."""
        cloud = self._cloud.compute
        self._server = cloud.find_server("proof", ignore_missing=False)
        network = self._cloud.network
        port = next(iter(network.ports(device_id=self._server.id)))
        self._address = next(iter(network.ips(port_id=port.id))).floating_ip_address
        apis = {part.name: part.url for part in parts(self._options) if part.url}
        watch = Watch(self._address, apis, self._logs / "ping.log")
        try:
            with self._step("services upgraded"):
                upgrade()
        finally:
            watch.end(self._logs / "upgrade.json")
        with self._step("the guest of before answers"):
            self._until("cat /proc/uptime", bool, f"of before the upgrade cannot be reached by ssh at {self._address}")
        with self._step("server active after the upgrade"):
            image, network_id = self._cloud.get_image("gate"), port.network_id
            flavor = cloud.find_flavor("nano", ignore_missing=False)
            made = cloud.create_server(
                name="after", image_id=image.id, flavor_id=flavor.id, networks=[{"uuid": network_id}]
            )
            cloud.wait_for_server(made, interval=self._pause, wait=self._deadline)
        self._all_live()

    def waits(self, path: Path) -> None:
        """Wait for a file that `serve` makes; a service that ends meanwhile is the reason why it does not."""
        deadline = time.monotonic() + self._deadline
        while not path.exists():
            self._all_live()
            if time.monotonic() > deadline:
                told = f"After {self._deadline:.0f} s services are still not {path.name}."
                raise Failed(f"{told} See the end of cloud/timings.tsv.")
            time.sleep(self._pause)

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

    def _boot(self, image: Any, network: Any) -> Any:
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
        flavor = cloud.compute.create_flavor(name="nano", ram=wanted.memory, disk=disk, vcpus=1)
        server = cloud.compute.create_server(
            name="proof", image_id=image.id, flavor_id=flavor.id, key_name="gate",
            networks=[{"uuid": network.id}], security_groups=[{"name": group.id}],
        )  # fmt: skip
        return cloud.compute.wait_for_server(server, interval=self._pause, wait=self._deadline)

    def _console(self) -> None:
        ready, deadline = self._options.guest.ready, time.monotonic() + self._deadline
        text = ""
        while ready not in text:
            if time.monotonic() > deadline:
                raise Failed(f"The guest's console does not say {ready}. Its end:\n{text[-1500:]}")
            self._all_live()
            time.sleep(self._pause)
            text = self._cloud.compute.get_server_console_output(self._server)["output"] or ""
            (self._logs / "console.log").write_text(text)
        for line in text.splitlines():
            if "GATEBOT" in line:
                print(f"  {line.strip()[:150]}", flush=True)
        for wanted in ("GATEBOT dhcp", "GATEBOT metadata ok"):  # what the guest of our own says
            if not self._options.guest.image and wanted not in text:
                raise Failed(f"The guest is up, but its console does not say '{wanted}'. See cloud/console.log.")

    def _ssh(self) -> None:
        network = self._cloud.network
        port = next(iter(network.ports(device_id=self._server.id)))
        public = network.find_network("public")
        self._address = network.create_ip(floating_network_id=public.id, port_id=port.id).floating_ip_address
        told = self._until("hostname", lambda said: bool(said), f"cannot be reached by ssh at {self._address}")
        print(f"  {self._address} answers as {told}", flush=True)

    def _until(self, command: str, good: Callable[[str], bool], lack: str) -> str:
        """What a command says on the guest, as soon as it says what is wanted."""
        who = f"{self._options.guest.user}@{self._address}"
        limit = f"ConnectTimeout={round(5 * self._options.patience)}"
        line = [
            "ssh", "-i", str(self._work / "guest-key"), "-o", "StrictHostKeyChecking=no", "-o", limit,
            "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes", who, command,
        ]  # fmt: skip
        deadline = time.monotonic() + self._deadline
        while True:
            told = subprocess.run(line, capture_output=True, text=True, check=False)
            if not told.returncode and good(told.stdout):
                return told.stdout.strip()
            if time.monotonic() > deadline:
                raise Failed(f"The guest {lack}: {told.stderr.strip() or told.stdout.strip()}")
            self._all_live()
            time.sleep(self._pause)

    def _volume(self) -> None:
        volume = self._cloud.create_volume(size=1, name="proof", volume_type="files", wait=True, timeout=self._deadline)
        self._cloud.attach_volume(self._server, volume, wait=True, timeout=self._deadline)
        told = self._until("cat /proc/partitions", lambda said: "vdb" in said, "does not see the volume as vdb")
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
