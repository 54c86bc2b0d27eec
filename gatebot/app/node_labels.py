# SPDX-License-Identifier: Apache-2.0
"""The node labels of this site: those of its settings, and below them those that configuration defines as `label`.

What a layout's labels come to is decided in `pipeline/config/nodes.py`; here they become the executor's values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from ..executor.labels import label_from
from ..executor.model import Label
from ..pipeline.config.layout import Layout
from ..pipeline.config.nodes import site_labels
from ..pipeline.layouts import Layouts


def current(layouts: Layouts) -> Callable[[], Iterable[Layout]]:
    """Asks for the layouts of all tenants as they are when it is called."""
    return lambda: [layout for name in layouts.tenants() if (layout := layouts.current(name)) is not None]


class NodeLabels(Mapping[str, Label]):
    """Labels by name; a name of the settings wins, and configuration is asked anew each time."""

    def __init__(self, settings: Mapping[str, Label], layouts: Callable[[], Iterable[Layout]]) -> None:
        self._settings = settings
        self._layouts = layouts

    def __getitem__(self, name: str) -> Label:
        return self._settings[name] if name in self._settings else self._configured()[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._configured(), **self._settings})

    def __len__(self) -> int:
        return len({*self._configured(), *self._settings})

    def _configured(self) -> dict[str, Label]:
        found = [(name, keys) for layout in self._layouts() for name, keys in site_labels(layout).items()]
        return {name: label_from(name, keys) for name, keys in reversed(found)}


def written(
    settings: Mapping[str, Mapping[str, object]], layouts: Callable[[], Iterable[Layout]]
) -> Callable[[], Mapping[str, Mapping[str, object]]]:
    """The same as it was written, for executors on other machines."""

    def told() -> Mapping[str, Mapping[str, object]]:
        found = [(name, keys) for layout in layouts() for name, keys in site_labels(layout).items()]
        return {**dict(reversed(found)), **settings}

    return told
