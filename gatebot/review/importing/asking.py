# SPDX-License-Identifier: Apache-2.0
"""Asking another Gerrit: its REST as an administrator, page by page, and its references by git.

Every failure says what was asked, what came, and what to do. What may pass by is tried again. The password goes to the
address that was given, and nowhere else: nobody is followed to another one.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import quote

from ...errors import Invalid, NotFound, NotPermitted, Unauthenticated, Unavailable
from ...repo import GitError, run_git
from .model import Answer

_PREFIX = ")]}'"
_SECONDS = 120
_TRIES = 4
_PAUSE = 1.0
_PAGE = 200
_LATER = (408, 429, 500, 502, 503, 504)
_ELSEWHERE = (301, 302, 303, 307, 308)
_UNKEPT = re.compile("[\0\ud800-\udfff]")


class Unanswered(Unavailable):
    """This question is not answered; others may be."""


class _Stays(urllib.request.HTTPRedirectHandler):
    """The library would send the password along to wherever an answer leads."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: http.client.HTTPMessage,
        newurl: str,
    ) -> None:  # fmt: skip
        """Nowhere."""


_asking = urllib.request.build_opener(_Stays)


@dataclass(frozen=True, slots=True)
class Gerrit:
    """One Gerrit, as one of its administrators."""

    url: str
    user: str
    password: str

    def check(self) -> str:
        """Its version. Refuses what is no Gerrit, a wrong password, and who may not see everything."""
        version = self._version()
        held: Answer = self.get("accounts/self/capabilities", q="administrateServer")
        if not held.get("administrateServer"):
            raise NotPermitted(
                f"{self.user} is no administrator of {self.url}, who alone sees all accounts, groups and changes. "
                "Import as a member of its group Administrators: --user NAME"
            )
        return version

    def get(self, path: str, **query: object) -> Any:
        """What one address below `/a/` answers; `NotFound` when there is nothing."""
        given = urllib.parse.urlencode({k: v for k, v in query.items() if v is not None}, doseq=True)
        return self._read(f"a/{path}", self._text(f"a/{path}" + (f"?{given}" if given else "")))

    def _read(self, path: str, text: str) -> Any:
        """An answer; without what no text here can keep, which are zeros and half characters."""
        try:
            if not text.startswith(_PREFIX):
                raise ValueError
            value = json.loads(text.removeprefix(_PREFIX))
        except (ValueError, RecursionError):
            raise Unavailable(
                f"{self.url}/{path} was answered with what no Gerrit says: {text[:80]!r}. Does something stand before "
                "it, such as a page to sign in? Give an address that leads to the Gerrit itself."
            ) from None
        return _kept(value) if "\\u" in text else value

    def found(self, path: str, more: str, key: str, **query: object) -> Iterator[Answer]:
        """Every page of a query; `more` is the key by which the last of a page tells that there is another.

        What is touched meanwhile moves to the front, and what was told already comes again: it is told once, by `key`.
        """
        start, told = 0, set[object]()
        while True:
            page: list[Answer] = self.get(path, **query, n=_PAGE, S=start)
            for one in page:
                if one[key] not in told:
                    told.add(one[key])
                    yield one
            if not page or not page[-1].get(more):
                return
            start += len(page)

    def projects(self) -> dict[str, Answer]:
        """All repositories by name."""
        return self.get("projects/", d="", all="")

    def references(self, project: str) -> dict[str, str]:
        """All references of a repository, with what they point to."""
        said = self._git(project, ["ls-remote", "--", self._address(project)]).decode("utf-8", "replace")
        pairs = (line.split("\t", 1) for line in said.splitlines())
        return {ref: commit for commit, ref in pairs if ref.startswith("refs/") and not ref.endswith("^{}")}

    def fetch(self, project: str, store: Path, refspecs: Sequence[str]) -> None:
        """Bring references, with everything that they reach."""
        if refspecs:
            command = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--stdin"]
            asked = "".join(f"{one}\n" for one in refspecs).encode()
            self._git(project, [*command, "--", self._address(project)], store, asked)

    def _git(self, project: str, command: Sequence[str], store: Path | None = None, stdin: bytes = b"") -> bytes:
        config = {"http.extraHeader": f"Authorization: {self._basic()}", "http.followRedirects": "false"}
        try:
            return run_git(command, git_dir=store, config=config, timeout=None, stdin=stdin).stdout
        except GitError as error:
            raise Unanswered(f"The repository {project} cannot be read from {self.url}: {error}") from None

    def _address(self, project: str) -> str:
        return f"{self.url}/a/{quote(project)}"

    def _basic(self) -> str:
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    def _version(self) -> str:
        path = "config/server/version"
        try:
            text = self._text(path, signed=False)
        except NotFound:
            text = ""
        if not text.startswith(_PREFIX):
            raise Invalid(
                f"{self.url} is no Gerrit: {self.url}/{path} does not tell a version. "
                "Write the address of its front page, such as https://review.example.org"
            )
        return str(self._read(path, text))

    def _text(self, path: str, *, signed: bool = True) -> str:
        headers = {"Accept": "application/json"} | ({"Authorization": self._basic()} if signed else {})
        request = urllib.request.Request(f"{self.url}/{path}", headers=headers)  # noqa: S310 - http(s), see `read_url`
        for left in reversed(range(_TRIES)):
            try:
                with _asking.open(request, timeout=_SECONDS) as answer:
                    return answer.read().decode("utf-8", "replace")
            except urllib.error.HTTPError as error:
                if error.code not in _LATER or not left:
                    raise self._refused(path, error) from None
            except (OSError, ValueError, http.client.HTTPException) as error:
                if not left:
                    why = getattr(error, "reason", error)
                    raise Unavailable(
                        f"{self.url} does not answer ({why}). Is the address right, and does this machine reach it?"
                    ) from None
            time.sleep(_PAUSE)
        raise AssertionError("the last try answers or raises")

    def _refused(self, path: str, error: urllib.error.HTTPError) -> Exception:
        status, text = error.code, ""
        with contextlib.suppress(OSError, http.client.HTTPException):
            text = error.read(10_000).decode("utf-8", "replace")
        match status:
            case _ if status in _ELSEWHERE:
                leads = (
                    str(error.headers.get("Location", "")).partition("?")[0].removesuffix(f"/{path.partition('?')[0]}")
                )
                return Invalid(
                    f"{self.url} leads to {leads or 'another address'}, and the password goes nowhere but to the "
                    "address that you give. If that is this Gerrit, give its address; if it is a page to sign in, one "
                    "behind it."
                )
            case 401:
                return Unauthenticated(
                    f"{self.url} does not know {self.user} with this password. It is the HTTP password "
                    "(Settings, HTTP Credentials there), not the one of its sign-in page."
                )
            case 404:
                return NotFound(f"{self.url}/{path}: {text.strip()[:200]}")
            case _:
                kind = Unavailable if status in _LATER and status != 500 else Unanswered
                return kind(f"{self.url}/{path} was answered with {status}: {text.strip()[:200]}")


def read_url(text: str) -> str:
    """The address of a Gerrit, without what may stand behind it."""
    parts = urllib.parse.urlsplit(text)
    if parts.username or parts.password:  # not repeated: a terminal may be kept
        raise Invalid("There is a name or a password in the address. Leave it out: --as NAME --password-file FILE")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise Invalid(f"{text!r} is no address of a Gerrit. Write it like https://review.example.org")
    return text.split("#")[0].rstrip("/")


def segment(name: str) -> str:
    """A name as one part of an address."""
    return quote(name, safe="")


def _kept(value: Any) -> Any:
    """A value whose texts can be kept."""
    match value:
        case str():
            return _UNKEPT.sub("\N{REPLACEMENT CHARACTER}", value)
        case list():
            return [_kept(one) for one in cast("list[Any]", value)]
        case dict():
            return {_kept(name): _kept(one) for name, one in cast("Answer", value).items()}
        case _:
            return value


def query_of(project: str) -> Mapping[str, object]:
    """The query for all changes of a repository."""
    return {"q": f'project:"{project}"'}
