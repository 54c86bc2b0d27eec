# SPDX-License-Identifier: Apache-2.0
"""What a push asks for beside its commits: `%topic=x,r=bob` behind the branch, or `-o topic=x`.

Pure text work with Gerrit's names, aliases and refusals. Who `bob` is and whether a vote is allowed, `push.py` finds
out; what `%help` prints is in `push_help.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from urllib.parse import unquote_plus

from . import topics

_ALIASES = {
    "t": "hashtag",
    "r": "reviewer",
    "l": "label",
    "m": "message",
    "e": "edit",
    "h": "help",
    "work-in-progress": "wip",
    "np": "no-publish-comments",
    "ias": "ignore-automatic-attention-set-rules",
    "ignore-attention-set": "ignore-automatic-attention-set-rules",
}
_EXCLUSIVE = (("private", "remove-private"), ("wip", "ready"), ("publish-comments", "no-publish-comments"))
_NOTIFY = ("NONE", "OWNER", "OWNER_REVIEWERS", "ALL")
_TRUE, _FALSE = frozenset({"", "true", "t", "yes", "y", "on", "1"}), frozenset({"false", "f", "no", "n", "off", "0"})
_LABEL = re.compile(r"([A-Za-z][A-Za-z0-9-]*?)(?:=?([+-]?\d{1,4}))?\Z")
_COMMIT = re.compile(r"[0-9a-fA-F]{40}\Z")
_DEADLINE = re.compile(r"(\d{1,9})\s*([a-z]*)\Z")
_SECONDS = {"ms": 0.001, "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "m": 60.0, "min": 60.0, "minute": 60.0,
            "minutes": 60.0, "h": 3600.0, "hr": 3600.0, "hour": 3600.0, "hours": 3600.0}  # fmt: skip
_TOPICS = {
    "review.topic-too-long": f"topic length exceeds the limit ({topics.LONGEST})",
    "review.topic-quoted": "topic can't contain quotation marks.",
    "review.topic-control": "topic can't contain line ends or other control characters.",
}
_HASHTAG_LENGTH = 255
KNOWN = (
    "topic=", "hashtag=", "r=", "cc=", "l=", "m=", "wip", "ready", "private", "remove-private", "edit", "submit",
    "base=", "merged", "publish-comments", "no-publish-comments", "notify=", "trace", "deadline=", "help",
)  # fmt: skip


class BadOption(ValueError):
    """The sentence is what the push is refused with."""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for. What is None (or an empty topic text that was not given) stays as it is."""

    topic: str | None = None
    hashtags: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    labels: tuple[tuple[str, int], ...] = ()
    message: str = ""
    wip: bool | None = None
    private: bool | None = None
    submit: bool = False
    edit: bool = False
    merged: bool = False
    base: tuple[str, ...] = ()
    publish_comments: bool | None = None
    notify: str = ""
    notify_people: tuple[tuple[str, str], ...] = ()
    keep_attention: bool = False
    help: bool = False


@dataclass(frozen=True, slots=True)
class Direct:
    """What a push past review may ask for; what else is said is not for it, and ignored as Gerrit ignores it."""

    skip_validation: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """What either kind of push may say of itself: `trace` names it in the log, `deadline` is in seconds."""

    trace: str | None = None
    deadline: float | None = None


def parse(suffix: str, pushed: Iterable[str]) -> Options:
    """The options behind `%` and those of `-o`; `BadOption` names the first that is not understood."""
    given = [_split(word) for word in (*pushed, *filter(None, suffix.split(",")))]
    options = Options()
    for name, value in given:
        if not is_text(value):
            raise BadOption(f'the value of "--{name}" is no UTF-8')
        options = _with(options, name, value)
    if options.help:
        return options
    on = {name for name, value in given if name in _FLAGS and _is_on(name, value)}
    for one, other in _EXCLUSIVE:
        if {one, other} <= on:
            raise BadOption(f"the options '{one}' and '{other}' are mutually exclusive")
    if options.merged and options.base:
        raise BadOption("cannot use merged with base")
    return options


def parse_direct(pushed: Iterable[str]) -> Direct:
    """The options of a push past review."""
    given = dict(_split(word) for word in pushed)
    return Direct("skip-validation" in given and given["skip-validation"].lower() not in _FALSE)


def parse_request(pushed: Sequence[str]) -> Request:
    """What is heard by `-o` alone, whichever kind the push is."""
    given = dict(_split(word) for word in pushed)
    return Request(given.get("trace"), _seconds(given["deadline"]) if "deadline" in given else None)


def is_text(value: str) -> bool:
    """Whether what git gave is UTF-8; bytes that are none are half characters here, which nothing can keep."""
    return not any("\ud800" <= letter <= "\udfff" or letter == "\0" for letter in value)


def _seconds(value: str) -> float | None:
    """A deadline; 0 is none."""
    found = _DEADLINE.match(value.strip().lower())
    if found is None:
        raise BadOption(f"Invalid deadline. Invalid value: {value}")
    if not found[2]:
        if int(found[1]) == 0:
            return None
        raise BadOption(f"Invalid deadline. Missing time unit: {value}")
    if found[2] not in _SECONDS:
        raise BadOption(f"Invalid deadline. Invalid value: {value}")
    return int(found[1]) * _SECONDS[found[2]]


def _split(word: str) -> tuple[str, str]:
    name, _, value = word.partition("=")
    bare = name.lstrip("-") or name
    return _ALIASES.get(bare, bare), value


def _is_on(name: str, value: str) -> bool:
    if value.lower() in _TRUE:
        return True
    if value.lower() in _FALSE:
        return False
    raise BadOption(f'invalid boolean "{name}={value}"')


def _with(options: Options, name: str, value: str) -> Options:
    if name in _FLAGS:
        return _FLAGS[name](options) if _is_on(name, value) else options
    match name:
        case "topic" if (wrong := topics.flaw(value)) is not None:
            raise BadOption(_TOPICS[wrong.kind])
        case "topic":
            return replace(options, topic=value)
        case "hashtag":
            tag = value.strip().lstrip("#").strip()
            if len(tag) > _HASHTAG_LENGTH:
                raise BadOption(f"hashtag length exceeds the limit ({_HASHTAG_LENGTH})")
            return replace(options, hashtags=(*options.hashtags, tag)) if tag else options
        case "reviewer":
            return replace(options, reviewers=(*options.reviewers, value))
        case "cc":
            return replace(options, cc=(*options.cc, value))
        case "label":
            return replace(options, labels=(*options.labels, _label(value)))
        case "message":
            text = unquote_plus(value.replace("_", " ")).replace("\0", "\N{REPLACEMENT CHARACTER}")
            return replace(options, message=text)
        case "base":
            return replace(options, base=(*options.base, _base(value)))
        case "notify":
            return replace(options, notify=_notify(value))
        case "notify-to" | "notify-cc" | "notify-bcc":
            told = (name.removeprefix("notify-"), value)
            return replace(options, notify_people=(*options.notify_people, told))
        case "trace" | "deadline":
            return options  # heard by `parse_request`
        case "skip-validation":
            raise BadOption('"--skip-validation" option is only supported for direct push')
        case _:
            raise BadOption(f'"{"-" if len(name) == 1 else "--"}{name}" is not a valid option')


_FLAGS: MappingProxyType[str, Callable[[Options], Options]] = MappingProxyType(
    {
        "wip": lambda options: replace(options, wip=True),
        "ready": lambda options: replace(options, wip=False),
        "private": lambda options: replace(options, private=True),
        "remove-private": lambda options: replace(options, private=False),
        "publish-comments": lambda options: replace(options, publish_comments=True),
        "no-publish-comments": lambda options: replace(options, publish_comments=False),
        "edit": lambda options: replace(options, edit=True),
        "merged": lambda options: replace(options, merged=True),
        "submit": lambda options: replace(options, submit=True),
        "help": lambda options: replace(options, help=True),
        "ignore-automatic-attention-set-rules": lambda options: replace(options, keep_attention=True),
        # A token for sites of many servers that copy late: there is nothing to wait for here.
        "create-cod-token": lambda options: options,
    }
)


def _label(value: str) -> tuple[str, int]:
    """`Code-Review+2`, `Verified-1`, `Workflow` (which is +1)."""
    if not value:
        raise BadOption("Empty label vote")
    found = _LABEL.match(value)
    if found is None:
        raise BadOption(f'"{value}" is not a valid label')
    return found[1], int(found[2] or 1)


def _base(value: str) -> str:
    if _COMMIT.match(value) is None:
        raise BadOption(f"expected SHA1 for option --base: {value}")
    return value.lower()


def _notify(value: str) -> str:
    if value.upper() not in _NOTIFY:
        raise BadOption(f'"{value}" is not a valid value for "--notify"')
    return value.upper()
