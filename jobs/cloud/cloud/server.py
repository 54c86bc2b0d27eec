# SPDX-License-Identifier: Apache-2.0
"""A server of the proof: booted, seen on its console, reached by ssh at a floating address.

Each part raises `Failed` with what was expected and what there was instead.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .options import Options
from .processes import Failed


@dataclass(frozen=True, slots=True)
class Ground:
    """What all servers have: the connection to the cloud, what it is, where their key and their console are.

    `all_live` raises `Failed` when a service has ended, whatever is waited for.
    """

    cloud: Any
    options: Options
    work: Path
    logs: Path
    all_live: Callable[[], None]

    @property
    def pause(self) -> float:
        """How long there is between two questions, in seconds."""
        return 0.3 * self.options.patience


class Server:
    """One server; `made` is what nova says of it, `address` where it is reached from outside."""

    def __init__(self, ground: Ground, made: Any, address: str = "") -> None:
        """One that is active."""
        self._ground = ground
        self.made = made
        self.address = address

    @classmethod
    def boot(cls, ground: Ground, name: str, image: Any, network: Any, host: str = "") -> Server:
        """Boot one, on a host of the cloud if that is named, and wait until it is active."""
        cloud = ground.cloud
        where = {"availability_zone": f"nova:{host}"} if host else {}
        flavor = cloud.compute.find_flavor("nano", ignore_missing=False)
        group = cloud.network.find_security_group("open", ignore_missing=False)
        made = cloud.compute.create_server(
            name=name, image_id=image.id, flavor_id=flavor.id, key_name="gate",
            networks=[{"uuid": network.id}], security_groups=[{"name": group.id}], **where,
        )  # fmt: skip
        return cls(ground, cloud.compute.wait_for_server(made, interval=ground.pause, wait=ground.options.deadline))

    @property
    def inside(self) -> str:
        """Its address in the network that it shares with others."""
        return next(iter(self._port().fixed_ips))["ip_address"]

    def console(self, log: str) -> None:
        """Wait until its console says that it is up; all of it goes to a file."""
        ready, deadline = self._ground.options.guest.ready, time.monotonic() + self._ground.options.deadline
        text = ""
        while ready not in text:
            if time.monotonic() > deadline:
                raise Failed(f"The guest's console does not say {ready}. Its end:\n{text[-1500:]}")
            self._ground.all_live()
            time.sleep(self._ground.pause)
            text = self._ground.cloud.compute.get_server_console_output(self.made)["output"] or ""
            (self._ground.logs / log).write_text(text)
        for line in text.splitlines():
            if "GATEBOT" in line:
                print(f"  {line.strip()[:150]}", flush=True)
        for wanted in ("GATEBOT dhcp", "GATEBOT metadata ok"):  # what the guest of our own says
            if not self._ground.options.guest.image and wanted not in text:
                raise Failed(f"The guest is up, but its console does not say '{wanted}'. See cloud/{log}.")

    def reach(self) -> None:
        """Give it a floating address, and wait until it answers there by ssh."""
        network = self._ground.cloud.network
        public = network.find_network("public")
        self.address = network.create_ip(floating_network_id=public.id, port_id=self._port().id).floating_ip_address
        told = self.says("hostname", bool, f"cannot be reached by ssh at {self.address}")
        print(f"  {self.address} answers as {told}", flush=True)

    def says(self, command: str, good: Callable[[str], bool], lack: str) -> str:
        """What a command says on it, as soon as it says what is wanted."""
        limit = f"ConnectTimeout={round(5 * self._ground.options.patience)}"
        line = [
            "ssh", "-i", str(self._ground.work / "guest-key"), "-o", "StrictHostKeyChecking=no", "-o", limit,
            "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes",
            f"{self._ground.options.guest.user}@{self.address}", command,
        ]  # fmt: skip
        deadline = time.monotonic() + self._ground.options.deadline
        while True:
            told = subprocess.run(line, capture_output=True, text=True, check=False)
            if not told.returncode and good(told.stdout):
                return told.stdout.strip()
            if time.monotonic() > deadline:
                raise Failed(f"The guest {lack}: {told.stderr.strip() or told.stdout.strip()}")
            self._ground.all_live()
            time.sleep(self._ground.pause)

    def _port(self) -> Any:
        return next(iter(self._ground.cloud.network.ports(device_id=self.made.id)))
