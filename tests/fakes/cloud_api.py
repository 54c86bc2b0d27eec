# SPDX-License-Identifier: Apache-2.0
"""A cloud of one machine: the few calls of keystone, nova, neutron, glance and cinder that nodes need, on loopback.

It answers as the services do (versions, bodies, errors, what is asynchronous, what names match), and refuses what they
refuse. Its servers are real servers of SSH, each with an address and a world of processes of its own.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiohttp import web

from .ssh_host import free_port, new_key, running_server

PASSWORD = "the-password-of-the-project"
Part = dict[str, Any]
_SERVER = {
    "name", "flavorRef", "imageRef", "key_name", "networks", "metadata", "user_data", "availability_zone",
    "block_device_mapping_v2", "security_groups", "config_drive",
}  # fmt: skip
_MIB = 1024


@dataclass
class FakeCloud:
    """One project of one cloud. What is wrong with it is said by its fields."""

    root: Path
    url: str = ""
    port: int = field(default_factory=free_port)
    instances: int = 10
    #: A status with which a service answers everything, by the service.
    away: dict[str, int] = field(default_factory=dict[str, int])
    #: What servers that are made next end with.
    fault: str = ""
    #: The next answer to a new server gets lost.
    lose: bool = False
    cloud_init: bool = True
    console: bool = True
    volumes: bool = True
    calls: list[str] = field(default_factory=list[str])
    parts: dict[str, dict[str, Part]] = field(
        default_factory=lambda: {name: {} for name in ("servers", "ports", "floatingips", "volumes", "keypairs")}
    )
    bodies: list[Part] = field(default_factory=list[Part])
    running: dict[str, ExitStack] = field(default_factory=dict[str, ExitStack])
    consoles: dict[str, str] = field(default_factory=dict[str, str])
    images: list[Part] = field(
        default_factory=lambda: [
            {"id": "i-old", "name": "debian", "created_at": "2026-01-01T00:00:00Z", "hw_architecture": "aarch64"},
            {"id": "i-new", "name": "debian", "created_at": "2026-02-01T00:00:00Z", "hw_architecture": "x86_64"},
            {"id": "i-arm", "name": "debian-arm", "created_at": "2026-02-01T00:00:00Z", "architecture": "aarch64"},
        ]
    )
    flavors: list[Part] = field(
        default_factory=lambda: [
            {"id": "1", "name": "small", "ram": 1 * _MIB, "vcpus": 1, "disk": 5},
            {"id": "3", "name": "large", "ram": 8 * _MIB, "vcpus": 4, "disk": 40},
            {"id": "2", "name": "medium", "ram": 4 * _MIB, "vcpus": 2, "disk": 20},
        ]
    )
    networks: list[Part] = field(
        default_factory=lambda: [
            {"id": "n-in", "name": "inner", "router:external": False},
            {"id": "n-out", "name": "public", "router:external": True},
        ]
    )

    async def start(self, port: int = 0) -> web.AppRunner:
        app = web.Application(middlewares=[self._guarded])
        for kind, place in (("servers", "compute/v2.1/servers"), ("volumes", "volume/v3/volumes"),
                            ("ports", "network/v2.0/ports"), ("floatingips", "network/v2.0/floatingips"),
                            ("keypairs", "compute/v2.1/os-keypairs")):  # fmt: skip
            self._parts(app, kind, f"/{place}")
        app.add_routes([
            web.get("/identity/v3", self._version("v3.14")), web.post("/identity/v3/auth/tokens", self._token),
            web.get("/compute/v2.1", self._version("v2.1", version="2.100", min_version="2.1")),
            web.get("/network{end:/?}", self._versions("v2.0")),
            web.get("/image{end:/?}", self._versions("v2.17", "v2")),
            web.get("/volume/v3{end:/?}", self._version("v3.0", version="3.71", min_version="3.0")),
            web.get("/compute/v2.1/limits", self._limits),
            web.get("/compute/v2.1/flavors/detail", self._listing("flavors")),
            web.get("/image/v2/images", self._listing("images")),
            web.get("/network/v2.0/networks", self._listing("networks")),
            web.get("/network/v2.0/security-groups", self._groups),
            web.post("/compute/v2.1/servers/{id}/action", self._action),
        ])  # fmt: skip
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    def clouds(self, path: Path, password: str = PASSWORD) -> Path:
        """The file that says where this cloud is."""
        auth = {"auth_url": f"{self.url}/identity/v3", "username": "ci", "password": password, "project_name": "ci"}
        auth |= {"user_domain_id": "default", "project_domain_id": "default"}
        path.write_text(json.dumps({"clouds": {"test": {"auth": auth, "region_name": "RegionOne"}}}))
        return path

    def end(self) -> None:
        """End every server."""
        for stack in self.running.values():
            stack.close()

    def left(self) -> dict[str, list[str]]:
        """What there is, by its kind."""
        found = {kind: [one.get("name") or one["description"] for one in there.values()]
                 for kind, there in self.parts.items()}  # fmt: skip
        return {kind: names for kind, names in found.items() if names}

    # -- what the services share ----------------------------------------------------------------

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Any) -> web.StreamResponse:
        service = request.path.split("/")[1]
        self.calls.append(f"{request.method} {request.path}")
        if service in self.away:
            return web.Response(status=self.away[service], text="<html><h1>Service Unavailable</h1></html>")
        if (
            service != "identity"
            and request.headers.get("X-Auth-Token") != "token"
            and "/v" in request.path[2:]
            and request.path.count("/") > 2
        ):
            return web.json_response({"error": {"code": 401, "message": "Unauthorized"}}, status=401)
        return await handler(request)

    def _version(self, name: str, **more: str) -> Any:
        async def handler(request: web.Request) -> web.Response:
            href = f"{self.url}{request.path}"
            told = {"id": name, "status": "CURRENT", "links": [{"rel": "self", "href": href}], **more}
            return web.json_response({"version": told})

        return handler

    def _versions(self, name: str, place: str = "") -> Any:
        async def handler(request: web.Request) -> web.Response:
            href = f"{self.url}{request.path.rstrip('/')}/{place or name}/"
            told = {"id": name, "status": "CURRENT", "links": [{"rel": "self", "href": href}]}
            return web.json_response({"versions": [told]})

        return handler

    async def _token(self, request: web.Request) -> web.Response:
        asked = (await request.json())["auth"]["identity"]["password"]["user"]
        if asked["password"] != PASSWORD:
            told = "The request you have made requires authentication."
            return web.json_response({"error": {"code": 401, "message": told, "title": "Unauthorized"}}, status=401)
        places = {"identity": "/identity/v3", "compute": "/compute/v2.1", "network": "/network", "image": "/image"}
        places |= {"block-storage": "/volume/v3"} if self.volumes else {}
        catalog = [
            {"type": kind, "name": kind, "id": kind, "endpoints": [
                {"interface": "public", "region": "RegionOne", "region_id": "RegionOne", "id": kind,
                 "url": f"{self.url}{place}"}]}
            for kind, place in places.items()
        ]  # fmt: skip
        user = {"id": "u", "name": "ci", "domain": {"id": "default", "name": "Default"}}
        project = {"id": "p", "name": "ci", "domain": {"id": "default", "name": "Default"}}
        token = {"methods": ["password"], "user": user, "project": project, "catalog": catalog, "roles": [],
                 "expires_at": "2099-01-01T00:00:00.000000Z", "issued_at": "2026-01-01T00:00:00.000000Z"}  # fmt: skip
        return web.json_response({"token": token}, status=201, headers={"X-Subject-Token": "token"})

    def _listing(self, name: str) -> Any:
        async def handler(request: web.Request) -> web.Response:
            found = getattr(self, name)
            if marker := request.query.get("marker"):
                found = found[[one["id"] for one in found].index(marker) + 1 :]
            return web.json_response({name: found[:2] if name != "networks" else found})

        return handler

    async def _groups(self, _request: web.Request) -> web.Response:
        return web.json_response({"security_groups": [{"id": "g-ssh", "name": "ssh"}]})

    async def _limits(self, _request: web.Request) -> web.Response:
        absolute = {"maxTotalInstances": self.instances, "totalInstancesUsed": len(self.parts["servers"]),
                    "maxTotalCores": -1, "totalCoresUsed": 0, "maxTotalRAMSize": -1, "totalRAMUsed": 0}  # fmt: skip
        return web.json_response({"limits": {"rate": [], "absolute": absolute}})

    # -- parts ----------------------------------------------------------------------------------

    def _parts(self, app: web.Application, kind: str, place: str) -> None:
        one, there = kind[:-1], self.parts[kind]

        async def listed(request: web.Request) -> web.Response:
            found = list(there.values())
            for name, value in request.query.items():
                if kind == "servers":
                    found = [part for part in found if re.search(value, part[name])]
                else:
                    found = [part for part in found if part.get(name) == value]
            return web.json_response({kind: [{one: part} for part in found] if kind == "keypairs" else found})

        async def create(request: web.Request) -> web.Response:
            body = (await request.json())[one]
            self.bodies.append({one: body})
            return await getattr(self, f"_new_{one}")(body)

        async def get(request: web.Request) -> web.Response:
            part = there.get(request.match_info["id"])
            return web.json_response({one: part}) if part else _missing(one)

        async def delete(request: web.Request) -> web.Response:
            identity = request.match_info["id"]
            if identity not in there:
                return _missing(one)
            if kind == "volumes" and there[identity]["status"] == "in-use":
                return _error(400, "badRequest", "Invalid volume: Volume status must be available or error")
            if kind == "servers":
                asyncio.get_running_loop().create_task(self._end(identity))
            else:
                del there[identity]
            return web.Response(status=202 if kind in ("volumes", "keypairs") else 204)

        app.add_routes([web.get(place, listed), web.post(place, create), web.get(place + "/detail", listed),
                        web.get(place + "/{id}", get), web.delete(place + "/{id}", delete)])  # fmt: skip

    async def _new_keypair(self, body: Part) -> web.Response:
        if body["name"] in self.parts["keypairs"]:
            return _error(409, "conflictingRequest", f"Key pair '{body['name']}' already exists.")
        self.parts["keypairs"][body["name"]] = body
        return web.json_response({"keypair": body})

    async def _new_port(self, body: Part) -> web.Response:
        number = uuid4().int
        address = f"127.{1 + number % 250}.{1 + number // 999 % 250}.{1 + number // 999999 % 250}"
        return self._made("port", {**body, "fixed_ips": [{"subnet_id": "s", "ip_address": address}]})

    async def _new_floatingip(self, body: Part) -> web.Response:
        fixed = self.parts["ports"][body["port_id"]]["fixed_ips"][0]["ip_address"]
        return self._made("floatingip", {**body, "fixed_ip_address": fixed, "floating_ip_address": fixed})

    async def _new_volume(self, body: Part) -> web.Response:
        made = self._made("volume", {**body, "status": "creating"}, status=202)
        next(reversed(self.parts["volumes"].values()))["status"] = "available"
        return made

    async def _new_server(self, body: Part) -> web.Response:
        if unknown := set(body) - _SERVER:
            return _error(400, "badRequest", f"Additional properties are not allowed ({', '.join(unknown)})")
        used = len(self.parts["servers"])
        if used >= self.instances:
            told = f"Quota exceeded for instances: Requested 1, but already used {used} of {self.instances} instances"
            return _error(403, "forbidden", told)
        server = {**body, "status": "BUILD", "OS-EXT-STS:task_state": "scheduling"}
        made = self._made("server", server, status=202)
        identity = next(reversed(self.parts["servers"]))
        if self.fault:
            fault = {"code": 500, "message": self.fault, "created": "2026-01-01T00:00:00Z"}
            self.parts["servers"][identity] |= {"status": "ERROR", "fault": fault, "OS-EXT-STS:task_state": None}
        else:
            asyncio.get_running_loop().create_task(self._boot(identity, body))
        if self.lose:
            self.lose = False
            return web.Response(status=504, text="<html>Gateway Timeout</html>")
        return made

    def _made(self, one: str, part: Part, status: int = 201) -> web.Response:
        part = {"id": str(uuid4()), **part}
        self.parts[f"{one}s"][part["id"]] = part
        told = {"id": part["id"]} if one == "server" else part
        return web.json_response({one: told}, status=status)

    async def _boot(self, identity: str, body: Part) -> None:
        root = self.root / identity
        root.mkdir()
        told = json.loads(base64.b64decode(body["user_data"]).decode().removeprefix("#cloud-config\n"))
        (root / "authorized_keys").write_text(self.parts["keypairs"][body["key_name"]]["public_key"] + "\n")
        if self.cloud_init:
            public = told["ssh_keys"]["ed25519_public"]
            (root / "host_key").write_text(told["ssh_keys"]["ed25519_private"])
            (root / "host_key").chmod(0o600)
        else:
            public = await asyncio.to_thread(new_key, root / "host_key")
        marks = ("-----BEGIN SSH HOST KEY KEYS-----", "-----END SSH HOST KEY KEYS-----")
        lines = (marks[0], f"{public} root@{body['name']}", marks[1]) if self.console else ()
        self.consoles[identity] = "".join(f"[    7.1] cloud-init[301]: {line}\r\n" for line in lines)
        address = self.parts["ports"][body["networks"][0]["port"]]["fixed_ips"][0]["ip_address"]
        stack = self.running[identity] = ExitStack()
        await asyncio.to_thread(stack.enter_context, running_server(root, address, self.port))
        for device in body.get("block_device_mapping_v2", ()):
            self.parts["volumes"][device["uuid"]]["status"] = "in-use"
        if identity in self.parts["servers"]:
            self.parts["servers"][identity] |= {"status": "ACTIVE", "OS-EXT-STS:task_state": None}
        else:  # deleted meanwhile
            await asyncio.to_thread(stack.close)

    async def _end(self, identity: str) -> None:
        if stack := self.running.pop(identity, None):
            await asyncio.to_thread(stack.close)
        for device in self.parts["servers"].pop(identity, {}).get("block_device_mapping_v2", ()):
            self.parts["volumes"].pop(device["uuid"], None)

    async def _action(self, request: web.Request) -> web.Response:
        assert "os-getConsoleOutput" in await request.json()
        return web.json_response({"output": self.consoles.get(request.match_info["id"], "")})


def _missing(one: str) -> web.Response:
    return _error(404, "itemNotFound", f"{one} could not be found.")


def _error(status: int, name: str, message: str) -> web.Response:
    return web.json_response({name: {"code": status, "message": message}}, status=status)
