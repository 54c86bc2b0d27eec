# SPDX-License-Identifier: Apache-2.0
"""Tempest against the cloud that is up and proven: its smoke tests, or those that a regular expression names.

It uses the image, the networks and the flavor that the proof has made, and says of itself what each test comes to.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import openstack

from .configs import url
from .ini import Sections, text
from .options import Options, Service

_PLACE = Path("/srv/tempest")
_LARGER = 160  # MiB of the flavor that servers are resized to


def smoke(options: Options, logs: Path, wanted: str) -> int:
    """Run them one after another; how tempest ends."""
    cloud = openstack.connect(cloud="admin")
    subprocess.run(["tempest", "init", str(_PLACE)], check=True, stdout=subprocess.DEVNULL)
    (_PLACE / "etc/tempest.conf").write_text(text(_settings(options, cloud)))
    chosen = ["--regex", wanted] if wanted else ["--smoke"]
    done = subprocess.run(["tempest", "run", *chosen, "--concurrency", "1"], cwd=_PLACE, check=False)
    shutil.copy(_PLACE / "tempest.log", logs / "tempest.log")
    return done.returncode


def _settings(options: Options, cloud: Any) -> Sections:
    image, public = cloud.get_image("gate").id, cloud.network.find_network("public").id
    flavor = cloud.compute.find_flavor("nano").id
    larger = cloud.compute.create_flavor(name="micro", ram=_LARGER, disk=1, vcpus=1).id
    has = {name.value: str(name in options) for name in Service if name not in (Service.KEYSTONE, Service.PLACEMENT)}
    return {
        "DEFAULT": {"debug": "True", "log_dir": str(_PLACE), "log_file": "tempest.log"},
        "oslo_concurrency": {"lock_path": str(_PLACE / "locks")},
        "auth": {
            "admin_username": "admin",
            "admin_password": options.password,
            "admin_project_name": "admin",
            "admin_domain_name": "Default",
            "use_dynamic_credentials": "True",
        },
        "identity": {
            "uri_v3": f"{url(options, 'keystone')}/v3",
            "region": options.region,
            "auth_version": "v3",
        },
        "compute": {
            "image_ref": image,
            "image_ref_alt": image,
            "flavor_ref": flavor,
            "flavor_ref_alt": larger,
            "fixed_network_name": "private",
            "build_timeout": "600",
            "max_microversion": "latest",
        },
        "compute-feature-enabled": {"vnc_console": "False", "resize": "False", "live_migration": "False"},
        "validation": {
            "image_ssh_user": options.guest.user,
            "connect_method": "floating",
            "ssh_key_type": "ecdsa",  # what the guest's dropbear takes
            "connect_timeout": "120",
            "ssh_timeout": "600",
        },
        "network": {"public_network_id": public, "floating_network_name": "public"},
        # By default tempest believes in extensions that only some clouds have.
        "network-feature-enabled": {
            "api_extensions": ",".join(sorted(one.alias for one in cloud.network.extensions())),
        },
        "service_available": {**has, "horizon": "False"},
        "volume": {"storage_protocol": "nfs", "volume_type": "files"},
        "volume-feature-enabled": {"backup": "False", "snapshot": "False"},
        "image": {"http_image": ""},
    }
