# SPDX-License-Identifier: Apache-2.0
"""`[label "NAME"]` and `[submit-requirement "NAME"]` of a `project.config`, and how projects inherit them.

Pure. A project has the labels and requirements of its parents; one of the same name takes the other's place, unless
the parent forbids it. A label without a value is no label any more. What is wrong is told by `check`, and left out
where rules are read: what lies in a repository already must not stop everybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from ...reasons import Reason, reason
from ..config.model import ConfigFile, Entry, Trouble
from . import copying, requirements
from .model import Label, SubmitRequirement

_LABEL, _REQUIREMENT = "label", "submit-requirement"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_VALUE = re.compile(r"\s*(?P<value>[+-]?\d{1,4})(?:\s+(?P<text>.*?))?\s*")
_LABEL_KEYS = (
    "value", "copyCondition", "defaultValue", "description", "branch", "canOverride", "allowPostSubmit",
    "ignoreSelfApproval", "function",
)  # fmt: skip
_REQUIREMENT_KEYS = ("submittableIf", "applicableIf", "overrideIf", "description", "canOverrideInChildProjects")
#: The old switches of copying, as conditions.
_SWITCHES = {
    "copyAnyScore": "is:ANY",
    "copyMinScore": "is:MIN",
    "copyMaxScore": "is:MAX",
    "copyAllScoresIfNoChange": "changekind:NO_CHANGE",
    "copyAllScoresIfNoCodeChange": "changekind:NO_CODE_CHANGE",
    "copyAllScoresOnTrivialRebase": "changekind:TRIVIAL_REBASE",
    "copyAllScoresOnMergeFirstParentUpdate": "changekind:MERGE_FIRST_PARENT_UPDATE",
    "copyAllScoresIfListOfFilesDidNotChange": "has:unchanged-files",
}
#: The functions of labels, as submit requirements; `{whose}` is what `ignoreSelfApproval` adds.
_FUNCTIONS = {
    "MaxWithBlock": "label:{name}=MAX{whose} AND -label:{name}=MIN",
    "AnyWithBlock": "-label:{name}=MIN",
    "MaxNoBlock": "label:{name}=MAX{whose}",
    "NoBlock": "",
    "NoOp": "",
    "PatchSetLock": "",
}
_YES, _NO = ("true", "yes", "on", "1", ""), ("false", "no", "off", "0")


def overlaid(
    labels: Sequence[Label], wanted: Sequence[SubmitRequirement], files: Iterable[ConfigFile]
) -> tuple[tuple[Label, ...], tuple[SubmitRequirement, ...]]:
    """What a project has that begins with these; `files` are its own and its parents', the farthest first."""
    by_label = {label.name.lower(): label for label in labels}
    by_name = {one.name.lower(): one for one in wanted}
    for file in files:
        for name in file.subsections(_LABEL):
            known = by_label.get(name.lower())
            if known is not None and not known.can_override:
                continue
            label = read_label(file, name)
            if label is None:
                by_label.pop(name.lower(), None)
            else:
                by_label[name.lower()] = label
            _legacy(file, name, label, by_name)
        for name in file.subsections(_REQUIREMENT):
            known_rule = by_name.get(name.lower())
            found = read_requirement(file, name)
            if found is not None and (known_rule is None or known_rule.can_override_in_children):
                by_name[name.lower()] = found
    return tuple(by_label.values()), tuple(by_name.values())


def _legacy(file: ConfigFile, name: str, label: Label | None, by_name: dict[str, SubmitRequirement]) -> None:
    """A label's function asks for votes, unless a submit requirement of its name does."""
    known = by_name.get(name.lower())
    function = _function(file, name)
    rule = _FUNCTIONS.get(function, "") if label is not None else ""
    if known is not None and (label is None or known.legacy):
        by_name.pop(name.lower())
        known = None
    if rule and known is None:
        whose = ",user=non_uploader" if _is_set(file.get(_LABEL, "ignoreSelfApproval", name)) else ""
        text = rule.format(name=name, whose=whose)
        by_name[name.lower()] = SubmitRequirement(name, text, can_override_in_children=True, legacy=True)


def _function(file: ConfigFile, name: str) -> str:
    given = (file.get(_LABEL, "function", name) or "NoOp").strip().lower()
    return next((known for known in _FUNCTIONS if known.lower() == given), "NoOp")


def read_label(file: ConfigFile, name: str) -> Label | None:
    """A label as its section describes it; None without a value that can be read."""
    values: dict[int, str] = {}
    for entry in file.all(_LABEL, "value", name):
        match = _VALUE.fullmatch(entry.value or "")
        if match is not None:
            values[int(match["value"])] = match["text"] or ""
    if not values or not _NAME.fullmatch(name):
        return None
    # Gerrit fills the gaps, and 0 is always there.
    lowest, highest = min(0, *values), max(0, *values)
    whole = tuple((value, values.get(value, "No score" if value == 0 else "")) for value in range(lowest, highest + 1))
    default = _number(file.get(_LABEL, "defaultValue", name))
    return Label(
        name=name,
        values=whole,
        copy_condition=_condition(file, name),
        default=default if default is not None and lowest <= default <= highest else 0,
        description=(file.get(_LABEL, "description", name) or "").strip(),
        branches=tuple((entry.value or "").strip() for entry in file.all(_LABEL, "branch", name) if entry.value),
        can_override=_is_set(file.get(_LABEL, "canOverride", name), default=True),
        allow_post_submit=_is_set(file.get(_LABEL, "allowPostSubmit", name), default=True),
    )


def _condition(file: ConfigFile, name: str) -> str:
    given = (file.get(_LABEL, "copyCondition", name) or "").strip()
    if given:
        return given
    old = [rule for switch, rule in _SWITCHES.items() if _is_on(file, switch, name)]
    old += [f"is:{entry.value}" for entry in file.all(_LABEL, "copyValue", name)]
    return " OR ".join(old)


def read_requirement(file: ConfigFile, name: str) -> SubmitRequirement | None:
    """A submit requirement as its section describes it; None without `submittableIf`."""
    rule = (file.get(_REQUIREMENT, "submittableIf", name) or "").strip()
    if not rule:
        return None
    return SubmitRequirement(
        name=name,
        submittable_if=rule,
        applicable_if=(file.get(_REQUIREMENT, "applicableIf", name) or "").strip(),
        override_if=(file.get(_REQUIREMENT, "overrideIf", name) or "").strip(),
        description=(file.get(_REQUIREMENT, "description", name) or "").strip(),
        can_override_in_children=_is_set(file.get(_REQUIREMENT, "canOverrideInChildProjects", name)),
    )


def check(file: ConfigFile) -> list[Trouble]:
    """Everything that is wrong with the labels and submit requirements of a file."""
    found: list[Trouble] = []
    for name in file.subsections(_LABEL):
        line = file.line_of(_LABEL, name)
        found += [Trouble(file.file, at or line, why) for at, why in _wrong_label(file, name)]
    for name in file.subsections(_REQUIREMENT):
        line = file.line_of(_REQUIREMENT, name)
        found += [Trouble(file.file, at or line, why) for at, why in _wrong_requirement(file, name)]
    return found


def _wrong_label(file: ConfigFile, name: str) -> Iterator[tuple[int, Reason]]:
    if not _NAME.fullmatch(name):
        yield 0, reason("review.label-name", name=name)
    yield from _unknown(file.of(_LABEL, name), (*_LABEL_KEYS, *_SWITCHES, "copyValue"))
    seen: set[int] = set()
    for entry in file.all(_LABEL, "value", name):
        match = _VALUE.fullmatch(entry.value or "")
        if match is None:
            yield entry.line, reason("review.label-value", value=entry.value or "")
        elif int(match["value"]) in seen:
            yield entry.line, reason("review.label-value-twice", value=match["value"])
        else:
            seen.add(int(match["value"]))
    function = file.entry(_LABEL, "function", name)
    if function is not None and (function.value or "").strip().lower() not in [one.lower() for one in _FUNCTIONS]:
        known = ", ".join(_FUNCTIONS)
        yield function.line, reason("review.label-function", value=function.value or "", known=known)
    condition = file.entry(_LABEL, "copyCondition", name)
    if condition is not None and (why := copying.problem(condition.value or "")):
        yield condition.line, reason("review.label-condition", name=name, why=why)
    default = file.entry(_LABEL, "defaultValue", name)
    if default is not None and seen and _number(default.value) not in range(min(0, *seen), max(0, *seen) + 1):
        yield default.line, reason("review.label-default", value=default.value or "", name=name)


def _wrong_requirement(file: ConfigFile, name: str) -> Iterator[tuple[int, Reason]]:
    yield from _unknown(file.of(_REQUIREMENT, name), _REQUIREMENT_KEYS)
    if not (file.get(_REQUIREMENT, "submittableIf", name) or "").strip():
        yield 0, reason("review.requirement-empty", name=name)
    for key in ("submittableIf", "applicableIf", "overrideIf"):
        entry = file.entry(_REQUIREMENT, key, name)
        if entry is not None and entry.value and (why := requirements.problem(entry.value)):
            yield entry.line, reason("review.requirement-broken", key=key, name=name, why=why)


def _unknown(entries: Iterable[Entry], known: Sequence[str]) -> Iterator[tuple[int, Reason]]:
    lower = {name.lower() for name in known}
    for entry in entries:
        if entry.name not in lower:
            yield entry.line, reason("review.label-key", name=entry.spelled, known=", ".join(known))


def _is_on(file: ConfigFile, key: str, name: str) -> bool:
    entry = file.entry(_LABEL, key, name)
    return entry is not None and _is_set(entry.value or "")


def _is_set(value: str | None, *, default: bool = False) -> bool:
    """git's words for yes and no; a name without `=` says yes, which arrives here as an empty text."""
    if value is None:
        return default
    word = value.strip().lower()
    return word in _YES if word in (*_YES, *_NO) else default


def _number(value: str | None) -> int | None:
    match = re.fullmatch(r"\s*([+-]?\d{1,4})\s*", value or "")
    return int(match[1]) if match else None
