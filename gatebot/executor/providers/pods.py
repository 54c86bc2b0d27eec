# SPDX-License-Identifier: Apache-2.0
"""What is told to Kubernetes and what its answers mean: the pod of a node, its state, the rights that are needed.

Pure. Objects are those of the API `v1`; a node is one pod with one container that may nothing but run the job.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...architectures import canonical
from ..model import MIB, Label
from .answers import Object, table, tables
from .bubblewrap import HOME, OWN, PLAY

CONTAINER = "node"
INSTANCE, NODE = "gatebot.org/instance", "gatebot.org/node"
_PREFIX = "gatebot-"
#: What a job may write to, each up to the disk of its label.
_WRITABLE = {"home": HOME, "play": PLAY, "tmp": "/tmp", "var-tmp": "/var/tmp"}  # noqa: S108 - in the pod
#: Reaps what commands leave behind; ends with the pod.
_INIT = ("/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 86400 & wait $!; done")
#: A pod that nobody took away, because its executor is gone for good, ends by itself.
_LONGEST = 48 * 3600
#: How Kubernetes calls architectures where it does not call them as everybody.
_GO = {"x86_64": "amd64"}
#: States of a container that do not pass by themselves.
_HOPELESS = frozenset({
    "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError",
    "CreateContainerError", "RunContainerError",
})  # fmt: skip
#: The rights that a provider needs in its namespace: verb, resource, subresource.
RIGHTS: Sequence[tuple[str, str, str]] = (
    *((verb, "pods", "") for verb in ("create", "get", "list", "delete")),
    *((verb, "pods", "exec") for verb in ("create", "get")),  # which of them a web socket needs depends on the cluster
)


@dataclass(frozen=True, slots=True)
class State:
    """How far a pod is. `why` is what it waits for, or why it never will be ready."""

    ready: bool = False
    hopeless: bool = False
    why: str = ""


def name_of(node: str) -> str:
    """The pod of a node."""
    return f"{_PREFIX}{node}"


def pod(node: str, label: Label, *, image: str, arch: str, instance: str) -> Object:
    """The pod to be made."""
    disk = str(label.disk)
    mounts = {**_WRITABLE, "own": OWN}
    volumes: list[object] = [{"name": name, "emptyDir": {"sizeLimit": disk}} for name in _WRITABLE]
    volumes.append({"name": "own", "emptyDir": {"medium": "Memory", "sizeLimit": str(16 * MIB)}})
    limits = {"cpu": str(label.cpus), "memory": str(label.memory), "ephemeral-storage": disk}
    container: Object = {
        "name": CONTAINER,
        "image": image if label.image == "default" else label.image,
        "imagePullPolicy": "IfNotPresent",
        "command": list(_INIT),
        "workingDir": HOME,
        "resources": {"limits": limits, "requests": limits},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [{"name": name, "mountPath": path} for name, path in mounts.items()],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name_of(node),
            "labels": {"app.kubernetes.io/managed-by": "gatebot", INSTANCE: instance, NODE: node},
        },
        "spec": {
            "activeDeadlineSeconds": _LONGEST,
            "automountServiceAccountToken": False,
            "containers": [container],
            "enableServiceLinks": False,
            "hostname": "node",
            "nodeSelector": {"kubernetes.io/os": "linux", "kubernetes.io/arch": _GO.get(arch, arch)},
            "restartPolicy": "Never",
            "securityContext": {
                "fsGroup": 1000, "runAsGroup": 1000, "runAsNonRoot": True, "runAsUser": 1000,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "terminationGracePeriodSeconds": 0,
            "volumes": volumes,
        },
    }  # fmt: skip


def review(namespace: str, right: tuple[str, str, str]) -> Object:
    """The question whether the asker has a right."""
    verb, resource, subresource = right
    attributes = {"namespace": namespace, "verb": verb, "resource": resource}
    if subresource:
        attributes["subresource"] = subresource
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }


def allowed(answer: Object) -> bool:
    """What the answer to such a question says."""
    return table(answer, "status").get("allowed") is True


def called(right: tuple[str, str, str]) -> str:
    """A right in words."""
    verb, resource, subresource = right
    return f"{verb} {resource}/{subresource}" if subresource else f"{verb} {resource}"


def state(found: Object) -> State:
    """How far a pod is."""
    status = table(found, "status")
    for container in tables(status.get("containerStatuses")):
        waiting = table(table(container, "state"), "waiting")
        why = f"{waiting.get('reason', '')}: {waiting.get('message', '')}".strip(": ")
        if waiting.get("reason") in _HOPELESS:
            return State(hopeless=True, why=why)
        if container.get("ready") is True:
            return State(ready=True)
        if why:
            return State(why=why)
    if status.get("phase") in ("Failed", "Succeeded"):
        told = status.get("message") or status.get("reason") or "it ended"
        return State(hopeless=True, why=f"the pod ended: {told}")
    for condition in tables(status.get("conditions")):
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return State(why=str(condition.get("message") or condition.get("reason") or ""))
    return State()


def owned(listing: Object) -> tuple[str, ...]:
    """The nodes of a list of pods."""
    labels = (table(table(item, "metadata"), "labels") for item in tables(listing.get("items")))
    return tuple(sorted(str(found[NODE]) for found in labels if NODE in found))


def architectures(listing: Object) -> tuple[str, ...]:
    """Those of a cluster's machines, each once, the most frequent first."""
    told = [
        canonical(str(table(table(item, "status"), "nodeInfo").get("architecture", "")))
        for item in tables(listing.get("items"))
    ]
    return tuple(sorted({one for one in told if one}, key=lambda one: (-told.count(one), one)))


def version(answer: Object) -> tuple[int, int]:
    """Major and minor version of a cluster, as it tells them (`1`, `30+`)."""
    numbers = (
        "".join(one for one in str(answer.get(name, ""))[:9] if one in "0123456789") or "0"
        for name in ("major", "minor")
    )
    major, minor = map(int, numbers)
    return major, minor
