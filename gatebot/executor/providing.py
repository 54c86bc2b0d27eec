# SPDX-License-Identifier: Apache-2.0
"""Makes the providers that the settings describe; nothing is spoken to before they are probed.

The only module that knows which class stands for which kind of `[providers.NAME]`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ..errors import SettingsError
from ..settings_fields import Provider as Wanted
from ..settings_fields import Static as StaticSettings
from .providers.ssh import Address, SshHost, control_directory
from .providers.static import Policy, Static
from .supply import Source


def kinds(wanted: Mapping[str, Wanted]) -> dict[str, str]:
    """The kind of each provider, by its name."""
    return {name: type(one).__name__.lower() for name, one in wanted.items()}


def sources(wanted: Mapping[str, Wanted], resolve: Callable[[str], str], site: str) -> dict[str, Source]:
    """The providers by name; `resolve` makes paths of the settings absolute, `site` is the host name of the site."""
    return {name: _static(name, one, resolve, site) for name, one in wanted.items()}


def _static(name: str, static: StaticSettings, resolve: Callable[[str], str], site: str) -> Source:
    if not static.directory.startswith("/"):
        raise SettingsError(f"providers.{name}.directory: write a path from / on; it is the same on all hosts.")
    control = control_directory()
    hosts = [
        SshHost(Address.read(text, static.user), Path(resolve(static.key)), Path(resolve(static.known_hosts)), control)
        for text in static.hosts
    ]
    playbook = static.cleanup.endswith((".yaml", ".yml"))
    policy = Policy(
        directory=static.directory,
        slots=static.slots if static.reuse else 1,
        cleanup=resolve(static.cleanup) if playbook else static.cleanup,
        alone=static.alone,
        reuse=static.reuse,
    )
    return Source(Static(hosts, policy, site=site), trusted=static.jobs == "post-review", changing=True)
