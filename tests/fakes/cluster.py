# SPDX-License-Identifier: Apache-2.0
"""A cluster of one machine: Kubernetes' API as far as pods need it, and podman as what runs them.

Every object that comes in is checked against Kubernetes' own schema, strictly: what a real API would refuse or drop is
refused here. Commands in pods really run, and their streams go over the web socket as a real kubelet sends them.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from jsonschema import Draft202012Validator

from gatebot.executor.providers.cluster import PROTOCOL
from gatebot.executor.providers.container import Podman

TOKEN = "the-token-of-a-service-account"
_SCHEMA = json.loads((Path(__file__).parents[1] / "data" / "kubernetes-1.30.json").read_text())
POD = "io.k8s.api.core.v1.Pod"
REVIEW = "io.k8s.api.authorization.v1.SelfSubjectAccessReview"
DELETE = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"


def complaints(kind: str, value: Any) -> list[str]:
    """What Kubernetes' schema says against an object."""
    schema = {"$ref": f"#/$defs/{kind}", "$defs": _SCHEMA["$defs"]}
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(value)]


@dataclass
class FakeCluster:
    """One namespace of one cluster, listening on 127.0.0.1."""

    podman: Podman
    namespace: str = "gatebot"
    minor: str = "30"
    may: set[str] = field(
        default_factory=lambda: {"create pods", "get pods", "list pods", "delete pods", "create exec", "get exec"}
    )
    machines: list[str] | None = field(default_factory=lambda: ["amd64", "arm64", "amd64"])
    unschedulable: str = ""
    seen: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    pods: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    url: str = ""

    async def start(self) -> web.AppRunner:
        app = web.Application(middlewares=[self._authenticated])
        place = f"/api/v1/namespaces/{self.namespace}/pods"
        app.add_routes([
            web.get("/version", self._version), web.get("/api/v1/nodes", self._machines),
            web.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", self._review),
            web.post(place, self._create), web.get(place, self._list), web.get(place + "/{name}", self._get),
            web.delete(place + "/{name}", self._delete), web.get(place + "/{name}/exec", self._exec),
        ])  # fmt: skip
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    @web.middleware
    async def _authenticated(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _status(401, "Unauthorized")
        return await handler(request)

    async def _version(self, _request: web.Request) -> web.Response:
        return web.json_response({"major": "1", "minor": self.minor})

    async def _machines(self, _request: web.Request) -> web.Response:
        if self.machines is None:
            return _status(403, "nodes is forbidden")
        items = [{"status": {"nodeInfo": {"architecture": arch}}} for arch in self.machines]
        return web.json_response({"kind": "NodeList", "items": items})

    async def _review(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if wrong := complaints(REVIEW, asked):
            return _status(422, "; ".join(wrong))
        about = asked["spec"]["resourceAttributes"]
        right = f"{about['verb']} {about.get('subresource') or about['resource']}"
        return web.json_response({**asked, "status": {"allowed": right in self.may}}, status=201)

    async def _create(self, request: web.Request) -> web.Response:
        pod = await request.json()
        if wrong := complaints(POD, pod):
            return _status(422, "; ".join(wrong))
        name = pod["metadata"]["name"]
        if name in self.pods:
            return _status(409, f'pods "{name}" already exists')
        self.seen.append(pod)
        self.pods[name] = {**pod, "status": {"phase": "Pending"}}
        if self.unschedulable:
            condition = {"type": "PodScheduled", "status": "False", "message": self.unschedulable}
            self.pods[name]["status"]["conditions"] = [condition]
        else:
            asyncio.get_running_loop().create_task(self._begin(name, pod))
        return web.json_response(self.pods[name], status=201)

    async def _begin(self, name: str, pod: dict[str, Any]) -> None:
        container = pod["spec"]["containers"][0]
        line = ["run", "--detach", "--pull", "never", "--name", name, "--network", "none", "--read-only"]
        line += ["--cap-drop", "all", "--security-opt", "no-new-privileges", "--user", "1000:1000"]
        line += ["--workdir", container["workingDir"], "--hostname", pod["spec"]["hostname"]]
        sizes = {one["name"]: one["emptyDir"]["sizeLimit"] for one in pod["spec"]["volumes"]}
        for mount in container["volumeMounts"]:
            line += ["--tmpfs", f"{mount['mountPath']}:rw,exec,mode=0777,size={sizes[mount['name']]}"]
        entry, *rest = container["command"]
        status = self.pods[name]["status"]
        try:
            await self.podman.ask(*line, "--entrypoint", entry, container["image"], *rest)
            # A memory file system over a directory of the image has what that allows, whatever is asked for.
            places = [mount["mountPath"] for mount in container["volumeMounts"]]
            await self.podman.ask("exec", "--user", "0:0", name, "chmod", "0777", *places)
        except Exception:
            waiting = {"reason": "ErrImagePull", "message": f"{container['image']}: not found"}
            status["containerStatuses"] = [{"name": "node", "ready": False, "state": {"waiting": waiting}}]
        else:
            status["phase"] = "Running"
            status["containerStatuses"] = [{"name": "node", "ready": True, "state": {"running": {}}}]

    async def _list(self, request: web.Request) -> web.Response:
        name, _, value = request.query["labelSelector"].partition("=")
        items = [pod for pod in self.pods.values() if pod["metadata"]["labels"].get(name) == value]
        return web.json_response({"kind": "PodList", "items": items})

    async def _get(self, request: web.Request) -> web.Response:
        pod = self.pods.get(request.match_info["name"])
        return _missing(request) if pod is None else web.json_response(pod)

    async def _delete(self, request: web.Request) -> web.Response:
        if wrong := complaints(DELETE, await request.json()):
            return _status(422, "; ".join(wrong))
        name = request.match_info["name"]
        if name not in self.pods:
            return _missing(request)
        await self.podman.ask("rm", "--force", "--ignore", "--time", "0", name)
        return web.json_response(self.pods.pop(name))

    async def _exec(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=(PROTOCOL,))
        await socket.prepare(request)
        process = await asyncio.create_subprocess_exec(
            self.podman.program, "exec", "-i", request.match_info["name"], *request.query.getall("command"),
            env=self.podman.environment, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        feeding = asyncio.ensure_future(_feed(socket, process))
        await asyncio.gather(_tell(socket, 1, process.stdout), _tell(socket, 2, process.stderr))
        code = await process.wait()
        status = {"status": "Success"} if code == 0 else {"status": "Failure", "message": f"exit code {code}"}
        if not socket.closed:
            await socket.send_bytes(b"\x03" + json.dumps(status).encode())
        await socket.close()
        feeding.cancel()
        return socket


async def _feed(socket: web.WebSocketResponse, process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    async for message in socket:
        if message.type is aiohttp.WSMsgType.BINARY and message.data[0] == 0:
            process.stdin.write(message.data[1:])
            await process.stdin.drain()
        elif message.data == b"\xff\x00":
            process.stdin.close()
    process.kill()


async def _tell(socket: web.WebSocketResponse, channel: int, stream: asyncio.StreamReader | None) -> None:
    assert stream is not None
    while piece := await stream.read(32 * 1024):
        if not socket.closed:
            await socket.send_bytes(bytes([channel]) + piece)


def _status(code: int, message: str) -> web.Response:
    return web.json_response({"kind": "Status", "status": "Failure", "message": message, "code": code}, status=code)


def _missing(request: web.Request) -> web.Response:
    return _status(404, f'pods "{request.match_info["name"]}" not found')
