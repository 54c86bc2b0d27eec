# SPDX-License-Identifier: Apache-2.0
"""The text of a new `gatebot.toml`: every setting with its default, explained, behind a #.

Pure; made from the tables of the settings, which read it back in `settings.py`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence

from .settings_fields import SECTIONS
from .settings_named import NAMED
from .settings_providers import PROVIDERS
from .settings_reading import Described, described
from .settings_words import written

_LABELS = """
# Kinds of nodes that jobs ask for by name, one section each. Without any: small, debian and offline.
#[labels.large]
#image = "default"
#network = "mirrors"
#memory = "8G"
#disk = "20G"
#cpus = 4

# Where nodes come from besides this machine, one section each; a label says `provider = "NAME"`. See docs/nodes.md.
"""

_HEAD = """\
# Settings of this gatebot site. Every setting is shown with its default, behind a #.
# To change one, remove its # and edit it; then restart the server.
"""


def init_text(changes: Mapping[str, object] | None = None, irc: Sequence[Mapping[str, object]] = ()) -> str:
    """The text of a new gatebot.toml: all defaults, commented out, and the `changes` (`{"web.listen": ...}`) set."""
    left = dict(changes or {})
    lines = [_HEAD]
    for section, section_class in SECTIONS:
        items = [item for item in described() if item.section == section]
        lines.append(f"\n# {section_class.__doc__}")
        if section in NAMED:
            lines += [f"#[{section}.{NAMED[section]}]", *_lines(items, lambda _: None)]
            continue
        if section != "irc":
            lines += [f"[{section}]", *_lines(items, lambda item: left.pop(item.name, None))]
            continue
        for network in irc or ({},):
            lines += ["[[irc]]" if network else "#[[irc]]", *_lines(items, lambda item, n=network: n.get(item.key))]
    if left:
        raise KeyError(f"there are no settings {', '.join(sorted(left))}")
    lines.append(_LABELS)
    for kind, section_class in PROVIDERS:
        items = [item for item in described() if item.section == f"providers.{kind}"]
        lines += [f"# {section_class.__doc__}", f"#[providers.my-{kind}]", f'#kind = "{kind}"']
        lines += [*_lines(items, lambda _: None), ""]
    return "\n".join(lines)


def _lines(items: Iterable[Described], changed: Callable[[Described], object]) -> Iterable[str]:
    for item in items:
        unit = f" ({item.unit})" if item.unit else ""
        choices = f" One of: {', '.join(item.choices)}." if item.choices else ""
        value = changed(item)
        yield from textwrap.wrap(f"{item.about}{unit}{choices}", 100, initial_indent="# ", subsequent_indent="# ")
        yield f"#{item.key} = {item.default_text}" if value is None else f"{item.key} = {written(value)}"
