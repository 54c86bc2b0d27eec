# SPDX-License-Identifier: Apache-2.0
"""Whether one atom of a submit requirement is true of a change.

Pure. An operator that is not known makes the whole requirement an error, never a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...expressions import Compiled, compiled
from ..model import Status, branch_ref
from . import voting
from .expression import Atom, BadExpression, arguments, unquoted
from .model import Facts, Touched

#: What the atoms of an operator are about: who can change whether they are true follows from it.
ABOUT_VOTES = ("label", "distinctvoters")
ABOUT_STATE = ("topic", "intopic", "hashtag", "inhashtag")


def is_true(atom: Atom, facts: Facts) -> bool:
    """Whether an atom holds; BadExpression when it cannot be told."""
    known = _JUDGES.get(atom.operator)
    if known is None:
        raise BadExpression(f"Unsupported operator {atom.text}")
    return known(atom.value, facts)


def _label(value: str, facts: Facts) -> bool:
    return voting.holds(voting.read(value), facts)


def _is(value: str, facts: Facts) -> bool:
    match unquoted(value):
        case "true":
            return True
        case "false":
            return False
        case "wip":
            return facts.work_in_progress
        case "private":
            return facts.private
        case "merge":
            return facts.about.is_merge
        case "gated":
            return facts.gated
        case "open" | "pending" | "new":
            return facts.status is Status.NEW
        case "closed":
            return facts.status is not Status.NEW
        case "merged" | "abandoned" as wanted:
            return facts.status.value.lower() == wanted
        case "submittable":
            raise BadExpression("Operator 'is:submittable' cannot be used in submit requirement expressions.")
        case other:
            raise BadExpression(f"Unrecognized value: {other}")


def _has(value: str, facts: Facts) -> bool:
    if unquoted(value) == "unresolved":
        return facts.about.unresolved
    raise BadExpression(f"Unrecognized value: {unquoted(value)}")


def _status(value: str, facts: Facts) -> bool:
    return _is(value, facts)


def _ref(value: str, facts: Facts) -> bool:
    ref = branch_ref(facts.about.branch)
    return _name(unquoted(value), ref)


def _branch(value: str, facts: Facts) -> bool:
    """Short names and full ones; an expression is matched against both, as people write either."""
    wanted, branch = unquoted(value), facts.about.branch
    full = branch_ref(branch)
    return _name(wanted, branch) or _name(wanted, full)


def _project(value: str, facts: Facts) -> bool:
    return _name(unquoted(value), facts.about.project)


def _projects(value: str, facts: Facts) -> bool:
    return facts.about.project.startswith(unquoted(value))


def _topic(value: str, facts: Facts) -> bool:
    return _name(unquoted(value), facts.about.topic)


def _intopic(value: str, facts: Facts) -> bool:
    wanted = unquoted(value)
    return _within(wanted, facts.about.topic)


def _hashtag(value: str, facts: Facts) -> bool:
    return unquoted(value).lstrip("#").lower() in (tag.lower() for tag in facts.about.hashtags)


def _inhashtag(value: str, facts: Facts) -> bool:
    return any(_within(unquoted(value), tag) for tag in facts.about.hashtags)


def _owner(value: str, facts: Facts) -> bool:
    return _person(unquoted(value), facts.owner, facts)


def _uploader(value: str, facts: Facts) -> bool:
    return _person(unquoted(value), facts.uploader, facts)


def _person(wanted: str, account: int, facts: Facts) -> bool:
    address = facts.about.emails.get(account, "")
    return wanted in (facts.names.get(account), str(account)) or wanted.lower() == address.lower() != ""


def _ownerin(value: str, facts: Facts) -> bool:
    return unquoted(value) in facts.about.groups.get(facts.owner, ())


def _uploaderin(value: str, facts: Facts) -> bool:
    return unquoted(value) in facts.about.groups.get(facts.uploader, ())


def _authoremail(value: str, facts: Facts) -> bool:
    return _expression(unquoted(value)).fullmatch(facts.about.author) is not None


def _committeremail(value: str, facts: Facts) -> bool:
    return _expression(unquoted(value)).fullmatch(facts.about.committer) is not None


def _uploaderemail(value: str, facts: Facts) -> bool:
    address = facts.about.emails.get(facts.uploader, "")
    return _expression(unquoted(value)).fullmatch(address) is not None


def _author(value: str, facts: Facts) -> bool:
    return unquoted(value).lower() == facts.about.author.lower()


def _committer(value: str, facts: Facts) -> bool:
    return unquoted(value).lower() == facts.about.committer.lower()


def _message(value: str, facts: Facts) -> bool:
    return _within(unquoted(value), facts.about.message)


def _subject(value: str, facts: Facts) -> bool:
    return _within(unquoted(value), facts.about.subject)


def _hasfooter(value: str, facts: Facts) -> bool:
    """A footer of this name in the last paragraph."""
    last = facts.about.message.rstrip().split("\n\n")[-1]
    return any(line.lower().startswith(f"{unquoted(value).lower()}:") for line in last.splitlines())


def _file(value: str, facts: Facts) -> bool:
    pattern, *more = arguments(value) or ("",)
    named = [file for file in facts.about.content.files() if _is_file(pattern, file)]
    if not more:
        return bool(named)
    name, _, wanted = more[0].partition("=")
    if name != "withDiffContaining" or len(more) > 1:
        raise BadExpression(f"'{more[-1]}' is no argument of file:, only withDiffContaining= is")
    search = _expression(wanted)
    lines = facts.about.content.changed_lines
    return any(search.search(line) is not None for file in named for line in lines(file.path))


def _path(value: str, facts: Facts) -> bool:
    wanted = unquoted(value)
    return any(_name(wanted, name) for file in facts.about.content.files() for name in _names(file))


def _is_file(pattern: str, file: Touched) -> bool:
    """A whole path, or what a `^` begins; and any of a path's parts, as Gerrit finds files."""
    return any(_name(pattern, name) or pattern in name.split("/") for name in _names(file))


def _names(file: Touched) -> tuple[str, ...]:
    return (file.path, file.old_path) if file.old_path else (file.path,)


def _directory(value: str, facts: Facts) -> bool:
    wanted = unquoted(value).strip("/")
    folders = ("/".join(name.split("/")[:-1]) for file in facts.about.content.files() for name in _names(file))
    if wanted.startswith("^"):
        return any(_name(wanted, folder) for folder in folders)
    return any(f"/{folder}/".startswith(f"/{wanted}/") or f"/{wanted}/" in f"/{folder}/" for folder in folders)


def _extension(value: str, facts: Facts) -> bool:
    return unquoted(value).lstrip(".").lower() in {_ending(file.path) for file in facts.about.content.files()}


def _onlyextensions(value: str, facts: Facts) -> bool:
    wanted = {name.strip().lstrip(".").lower() for name in unquoted(value).split(",")}
    return {_ending(file.path) for file in facts.about.content.files()} == wanted


def _ending(path: str) -> str:
    return path.rsplit("/", 1)[-1].rpartition(".")[2].lower() if "." in path.rsplit("/", 1)[-1] else ""


def _added(value: str, facts: Facts) -> bool:
    return _number(value, sum(file.added for file in facts.about.content.files()))


def _deleted(value: str, facts: Facts) -> bool:
    return _number(value, sum(file.deleted for file in facts.about.content.files()))


def _delta(value: str, facts: Facts) -> bool:
    return _number(value, sum(file.added + file.deleted for file in facts.about.content.files()))


def _number(value: str, found: int) -> bool:
    wanted = unquoted(value)
    sign = next((sign for sign in ("<=", ">=", "<", ">", "=") if wanted.startswith(sign)), "")
    digits = wanted.removeprefix(sign)
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 10):
        raise BadExpression(f"'{wanted}' is no number")
    count = int(digits)
    return {"<=": found <= count, ">=": found >= count, "<": found < count, ">": found > count}.get(
        sign, found == count
    )


def _name(wanted: str, found: str) -> bool:
    """Equal, or matched as a whole by what a `^` begins."""
    return _expression(wanted).fullmatch(found) is not None if wanted.startswith("^") else wanted == found


def _within(wanted: str, text: str) -> bool:
    if wanted.startswith("^"):
        return _expression(wanted).search(text) is not None
    return wanted.lower() in text.lower()


def _expression(regex: str) -> Compiled:
    try:
        return compiled(regex)
    except ValueError as bad:
        raise BadExpression(f"'{regex}' is no regular expression: {bad}") from None


_JUDGES: Mapping[str, Callable[[str, Facts], bool]] = {
    "added": _added,
    "author": _author,
    "authoremail": _authoremail,
    "branch": _branch,
    "committer": _committer,
    "committeremail": _committeremail,
    "deleted": _deleted,
    "delta": _delta,
    "dir": _directory,
    "directory": _directory,
    "distinctvoters": voting.are_distinct,
    "ext": _extension,
    "extension": _extension,
    "f": _file,
    "file": _file,
    "has": _has,
    "hasfooter": _hasfooter,
    "hashtag": _hashtag,
    "inhashtag": _inhashtag,
    "intopic": _intopic,
    "is": _is,
    "label": _label,
    "m": _message,
    "message": _message,
    "o": _owner,
    "onlyextensions": _onlyextensions,
    "owner": _owner,
    "ownerin": _ownerin,
    "p": _project,
    "parentproject": _project,
    "path": _path,
    "project": _project,
    "projects": _projects,
    "ref": _ref,
    "repo": _project,
    "repository": _project,
    "size": _delta,
    "status": _status,
    "subject": _subject,
    "topic": _topic,
    "uploader": _uploader,
    "uploaderemail": _uploaderemail,
    "uploaderin": _uploaderin,
}
OPERATORS = tuple(_JUDGES)
