# SPDX-License-Identifier: Apache-2.0
"""Checking one YAML object against a table of its attributes: everything wrong with it, at once, with lines.

The language of the tables is here, the tables are in `tables.py`. Knows nothing of other objects: what refers to what
is the layout's business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from ...expressions import compiled
from ...reasons import Reason, reason
from .yamltext import Encrypted, Node, Problem, Tagged, YamlList, YamlMap


@dataclass(frozen=True, slots=True)
class Text:
    """A string; `words` says which strings, `form` is the expression that they have to match."""

    words: str = "str"
    form: str = ""


@dataclass(frozen=True, slots=True)
class Flag:
    words: str = "bool"


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number."""

    minimum: int | None = None

    @property
    def words(self) -> str:
        return "int" if self.minimum is None else f"int >= {self.minimum}"


@dataclass(frozen=True, slots=True)
class Decimal:
    """A number with or without a point."""

    words: str = "float"


@dataclass(frozen=True, slots=True)
class Null:
    words: str = "null"


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of these strings."""

    values: tuple[str, ...]

    @property
    def words(self) -> str:
        return ", ".join(self.values)


@dataclass(frozen=True, slots=True)
class Regex:
    """A string, or `{regex, negate}`; RE2."""

    words: str = "regex"


@dataclass(frozen=True, slots=True)
class Many:
    """One or a list of them; with `merges`, `!override` and `!inherit` are understood; `strict`: a list only."""

    item: Kind
    merges: bool = False
    strict: bool = False

    @property
    def words(self) -> str:
        return f"list of {self.item.words}"


@dataclass(frozen=True, slots=True)
class Vars:
    """A mapping of variables for Ansible: names are identifiers, values are anything. `nested`: by host or group.

    `free`: any names.
    """

    nested: bool = False
    free: bool = False

    @property
    def words(self) -> str:
        return "mapping of mappings" if self.nested else "mapping"


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping with these attributes; `rest` is the kind of any others."""

    fields: Mapping[str, Field]
    rest: Kind | None = None

    @property
    def words(self) -> str:
        if not self.fields:
            return "mapping"
        return "{" + ", ".join(self.fields) + ("" if self.rest is None else ", ...") + "}"


@dataclass(frozen=True, slots=True)
class Either:
    """The first of these that has the value's form."""

    options: tuple[Kind, ...]

    @property
    def words(self) -> str:
        return " or ".join(option.words for option in self.options)


Kind = Text | Flag | Number | Decimal | Null | OneOf | Regex | Many | Vars | Table | Either


@dataclass(frozen=True, slots=True)
class Field:
    """One attribute. `only`: gatebot acts on these values alone; others are known to Zuul and refused here."""

    kind: Kind
    doc: str
    required: bool = False
    default: str = ""
    only: tuple[Node, ...] | None = None
    ours: bool = False


@dataclass(slots=True)
class Findings:
    """What a check found: problems make the object unusable, refusals are parts that gatebot does not act on.

    `spared` are parts that are left out while the rest of the object is used all the same.
    """

    problems: list[Problem] = field(default_factory=list[Problem])
    refusals: list[Problem] = field(default_factory=list[Problem])
    spared: list[Problem] = field(default_factory=list[Problem])

    def add(self, line: int, why: Reason) -> None:
        self.problems.append(Problem(line, why))


def check(kind: Kind, value: Node, line: int, where: str, found: Findings) -> None:
    """Check a value; `where` is the attribute's path for messages (`job.nodeset.nodes`)."""
    if isinstance(value, Tagged):
        if not _merges(kind):
            found.add(line, reason("config.tag-not-here", attribute=where))
        value = value.value
        if value is None:
            return
    if not _fits(kind, value):
        found.add(line, reason("config.wrong-type", attribute=where, expected=kind.words, found=said(value)))
        return
    match kind:
        case Either(options):
            check(next(option for option in options if _fits(option, value)), value, line, where, found)
        case Many(item):
            for entry, at in _entries(value, line):
                check(item, entry, at, where, found)
        case Table():
            assert isinstance(value, YamlMap)
            _check_table(kind, value, where, found)
        case Vars(nested, free):
            assert isinstance(value, YamlMap)
            if not free:
                _check_vars(value, nested, where, found)
        case Regex():
            _check_regex(value, line, where, found)
        case Number(minimum) if isinstance(value, int) and minimum is not None and value < minimum:
            found.add(line, reason("config.too-small", attribute=where, minimum=minimum, found=value))
        case OneOf(values) if value not in values:
            found.add(line, reason("config.not-one-of", attribute=where, values=kind.words, found=said(value)))
        case Text(_, form) if form and isinstance(value, str) and not compiled(form).match(value):
            found.add(line, reason("config.wrong-type", attribute=where, expected=kind.words, found=said(value)))
        case _:
            pass


def _merges(kind: Kind) -> bool:
    return isinstance(kind, Vars) or (isinstance(kind, Many) and kind.merges)


def _fits(kind: Kind, value: Node) -> bool:
    """Whether a value has the outer form of a kind."""
    match kind:
        case Text() | OneOf():
            return isinstance(value, str)
        case Flag():
            return isinstance(value, bool)
        case Number():
            return isinstance(value, int) and not isinstance(value, bool)
        case Decimal():
            return isinstance(value, int | float) and not isinstance(value, bool)
        case Null():
            return value is None
        case Regex():
            return isinstance(value, str | YamlMap)
        case Many(item, _, strict):
            return isinstance(value, YamlList) or (not strict and _fits(item, value))
        case Vars() | Table():
            return isinstance(value, YamlMap)
        case Either(options):
            return any(_fits(option, value) for option in options)


def _entries(value: Node, line: int) -> Iterator[tuple[Node, int]]:
    """The entries of "one or a list"."""
    if isinstance(value, YamlList):
        yield from zip(value, value.lines, strict=True)
    else:
        yield value, line


def _check_table(kind: Table, value: YamlMap, where: str, found: Findings) -> None:
    for name, item in value.items():
        line = value.lines[name]
        known = kind.fields.get(name)
        if known is not None:
            before = len(found.problems)
            check(known.kind, item, line, f"{where}.{name}", found)
            if len(found.problems) == before:
                _check_acted_on(known, item, line, f"{where}.{name}", found)
        elif kind.rest is not None:
            check(kind.rest, item, line, f"{where}.{name}", found)
        else:
            near = get_close_matches(name, kind.fields, 1)
            why = reason("config.unknown-attribute-near", attribute=name, object=where, near=near[0]) if near else None
            found.add(line, why or reason("config.unknown-attribute", attribute=name, object=where))
    for name, known in kind.fields.items():
        if known.required and name not in value:
            found.add(value.line, reason("config.missing-attribute", attribute=name, object=where))


def _check_acted_on(known: Field, item: Node, line: int, where: str, found: Findings) -> None:
    """Note a value that is right in Zuul's language, and that gatebot does not act on."""
    if known.only is None or any(item == good and type(item) is type(good) for good in known.only):
        return
    values = ", ".join(said(value) for value in known.only)
    why = reason("config.not-this-value", attribute=where, found=said(item), values=values)
    found.refusals.append(Problem(line, why if known.only else reason("config.not-supported", attribute=where)))


IDENTIFIER = "[a-zA-Z][a-zA-Z0-9_]*$"
# Zuul's own variables, and those of Ansible that would lead a playbook to another host or program.
RESERVED = frozenset(
    {
        *("zuul", "zuul_node", "zuul_user_dir", "nodepool", "unsafe_vars"),
        *("ansible_connection", "ansible_host", "ansible_python_interpreter", "ansible_shell_executable"),
        "ansible_user",
    }
)


def _check_vars(value: YamlMap, nested: bool, where: str, found: Findings) -> None:
    for name, item in value.items():
        line = value.lines[name]
        if not nested:
            if not compiled(IDENTIFIER).match(name):
                found.add(line, reason("config.bad-variable", attribute=where, name=name))
            elif name in RESERVED:
                found.add(line, reason("config.reserved-variable", attribute=where, name=name))
        elif isinstance(item, YamlMap):
            _check_vars(item, False, f"{where}.{name}", found)
        else:
            found.add(
                line, reason("config.wrong-type", attribute=f"{where}.{name}", expected="mapping", found=said(item))
            )


def _check_regex(value: Node, line: int, where: str, found: Findings) -> None:
    expression = value
    if isinstance(value, YamlMap):
        fields = {"regex": Field(Text(), "", required=True), "negate": Field(Flag(), "")}
        _check_table(Table(fields), value, where, found)
        expression = value.get("regex")
    if isinstance(expression, str):
        try:
            compiled(expression)
        except ValueError as problem:
            kind = "config.bad-regex-look" if "(?" in str(problem) else "config.bad-regex"
            found.add(line, reason(kind, attribute=where, regex=expression, problem=str(problem)))


def said(value: Node) -> str:
    """A found value, shortly, as YAML would write it."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case YamlList():
            return "a list"
        case YamlMap():
            return "a mapping"
        case Encrypted():
            return "an encrypted value"
        case Tagged():
            return said(value.value)
        case _:
            text = str(value)
            return text if len(text) <= 40 else text[:39] + "…"
