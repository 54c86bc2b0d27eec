# SPDX-License-Identifier: Apache-2.0
"""How the script of a label is run in its new image: as root of what is in there, with a network.

It is told the package indexes of this machine and how to trust them; nothing of that stays in the image.
"""

from __future__ import annotations

import shlex

from . import host_mirrors

#: The variable that has the script.
GIVEN = "GATEBOT_SCRIPT"
#: The script comes through the environment, where also a namespace's root can read it.
HOOK = (
    'printf "%s\\n" "$GATEBOT_SCRIPT" > "$1/tmp/script" && cp "$GATEBOT_BUNDLE" "$1/tmp/ca.crt" && '
    'env -u GATEBOT_SCRIPT chroot "$1" /bin/sh -e /tmp/script && rm "$1/tmp/script" "$1/tmp/ca.crt"'
)
_TRUST = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO")


def environment(script: str) -> dict[str, str]:
    """What mmdebstrap is started with so that the hook can run a script."""
    if not script:
        return {}
    told = host_mirrors.read()
    trust = dict.fromkeys(_TRUST, "/tmp/ca.crt") if told.bundle else {}  # noqa: S108 - in the image
    lines = [f"export {name}={shlex.quote(value)}" for name, value in {**told.environment, **trust}.items()]
    text = "\n".join(["export HOME=/root DEBIAN_FRONTEND=noninteractive", *lines, script])
    return {GIVEN: text, "GATEBOT_BUNDLE": told.bundle or "/dev/null"}
