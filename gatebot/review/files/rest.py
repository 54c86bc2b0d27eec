# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls on the files of a revision: lists, differences, content, blame, what was read, archives.

Thin: finds the revision, asks `service.py`, shapes the answer.
"""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Iterable

from aiohttp import web

from ...assignment import Json
from ...errors import Invalid
from ...reasons import reason
from ...repo.texts import WHITESPACE
from ..answers import everywhere, json_answer, number_or_none
from ..gerrit_json import files_info, pseudo_file_info
from ..shaper import Shaper
from .service import MERGE_LIST, Against, Content, Files, Looked, against

_FORMS = {"tar": "tar", "tgz": "tar.gz", "tar.gz": "tar.gz", "zip": "zip"}
_PATHS = ("/COMMIT_MSG", MERGE_LIST)


class RestFiles:
    """`/changes/{id}/revisions/{revision}/files` and what is below."""

    def __init__(self, shaper: Shaper, files: Files) -> None:
        self._shaper = shaper
        self._files = files

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served."""
        revision = "/changes/{id}/revisions/{revision}"
        file = f"{revision}/files/{{file}}"
        table = (
            ("GET", f"{revision}/files", self._list),
            ("GET", f"{file}/diff", self._diff),
            ("GET", f"{file}/content", self._content),
            ("GET", f"{file}/download", self._download),
            ("GET", f"{file}/blame", self._blame),
            ("PUT", f"{file}/reviewed", self._reviewed),
            ("DELETE", f"{file}/reviewed", self._reviewed),
            ("GET", f"{revision}/patch", self._patch),
            ("GET", f"{revision}/archive", self._archive),
            ("GET", f"{revision}/mergelist", self._merge_list),
        )
        return [route for method, path, handler in table for route in everywhere(method, path, handler)]

    async def _list(self, request: web.Request) -> web.StreamResponse:
        view, patch_set = await self._shaper.revision(request)
        if "reviewed" in request.query:
            return json_answer(request, await self._files.reviewed(self._shaper.asker.actor(request), patch_set))
        if "q" in request.query:
            names = await self._files.names(view.change.project, patch_set.commit, request.query["q"])
            return json_answer(request, names)
        base = await self._base(request)
        changed = await self._files.changed(view.change.project, patch_set, base)
        listed: dict[str, Json] = {}
        for path in _PATHS:
            if path == MERGE_LIST and (len(patch_set.parents) < 2 or base.patch_set is not None):
                continue
            told = await self._files.diff(view.change.project, patch_set, path, base, Looked())
            listed[path] = pseudo_file_info(told)
        return json_answer(request, listed | files_info(changed, with_message=False))

    async def _diff(self, request: web.Request) -> web.StreamResponse:
        view, patch_set = await self._shaper.revision(request)
        query = request.query
        whitespace = query.get("whitespace", query.get("ignore-whitespace", "IGNORE_NONE")).upper()
        whitespace = {"NONE": "IGNORE_NONE", "TRAILING": "IGNORE_TRAILING", "CHANGED": "IGNORE_LEADING_AND_TRAILING",
                      "ALL": "IGNORE_ALL"}.get(whitespace, whitespace)  # fmt: skip
        if whitespace not in WHITESPACE:
            raise Invalid(
                reason=reason("review.bad-field", field="whitespace", why=f"it is one of {', '.join(WHITESPACE)}")
            )
        asked = query.get("context", "")
        context = None if asked.upper() in ("", "ALL", "-1") else number_or_none(request, "context")
        looked = Looked(whitespace, context, "intraline" in query)
        path = request.match_info["file"]
        told = await self._files.diff(view.change.project, patch_set, path, await self._base(request), looked)
        return json_answer(request, told)

    async def _content(self, request: web.Request) -> web.StreamResponse:
        found = await self._found(request)
        return base64_answer(found.data, found.type)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        """A text as it is; anything else packed, so that no browser shows it as a page of this site."""
        found = await self._found(request)
        name = request.match_info["file"].rpartition("/")[2] or "file"
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo(name), found.data)
        return attachment(packed.getvalue(), "application/zip", f"{name}.zip")

    async def _found(self, request: web.Request) -> Content:
        view, patch_set = await self._shaper.revision(request)
        commit, path = patch_set.commit, request.match_info["file"]
        if "parent" in request.query:
            commit = (await self._base(request)).commit or commit
            return await self._files.content(view.change.project, commit, path)
        return await self._files.content(view.change.project, commit, path, patch_set)

    async def _blame(self, request: web.Request) -> web.StreamResponse:
        view, patch_set = await self._shaper.revision(request)
        commit = patch_set.commit
        if request.query.get("base", "") in ("t", "true", "1"):
            commit = patch_set.parents[0] if patch_set.parents else commit
        found = await self._files.blame(view.change.project, commit, request.match_info["file"])
        told: list[Json] = [
            {
                "author": one.author,
                "id": one.commit,
                "time": one.time,
                "commit_msg": one.message,
                "ranges": [{"start": start, "end": end} for start, end in one.ranges],
            }
            for one in found
        ]
        return json_answer(request, told)

    async def _reviewed(self, request: web.Request) -> web.StreamResponse:
        _, patch_set = await self._shaper.revision(request)
        actor, wanted = self._shaper.asker.actor(request), request.method == "PUT"
        news = await self._files.set_reviewed(actor, patch_set, request.match_info["file"], wanted=wanted)
        if not wanted:
            return web.Response(status=204)
        return json_answer(request, "", 201 if news else 200)

    async def _patch(self, request: web.Request) -> web.StreamResponse:
        view, patch_set = await self._shaper.revision(request)
        patch = await self._shaper.room.revisions.patch(view.change.project, patch_set, request.query.get("path", ""))
        name = f"{patch_set.commit[:7]}.diff"
        if "zip" in request.query:
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(zipfile.ZipInfo(name), patch)
            return attachment(packed.getvalue(), "application/zip", f"{name}.zip")
        if "raw" in request.query:
            return attachment(patch, "application/mbox", name)
        answer = base64_answer(patch, "application/mbox")
        if "download" in request.query:
            answer.headers["Content-Disposition"] = f'attachment; filename="{name}.base64"'
        return answer

    async def _archive(self, request: web.Request) -> web.StreamResponse:
        view, patch_set = await self._shaper.revision(request)
        asked = request.query.get("format", "tgz")
        if asked not in _FORMS:
            raise Invalid(reason=reason("review.bad-field", field="format", why=f"it is one of {', '.join(_FORMS)}"))
        data = await self._files.archive(view.change.project, patch_set.commit, _FORMS[asked])
        kind = "application/zip" if asked == "zip" else "application/x-gzip" if "g" in asked else "application/x-tar"
        return attachment(data, kind, f"{patch_set.commit[:7]}.{asked}")

    async def _merge_list(self, request: web.Request) -> web.StreamResponse:
        view, patch_set = await self._shaper.revision(request)
        if len(patch_set.parents) < 2:
            return json_answer(request, [])
        parent = number_or_none(request, "parent") or 1
        ids = await self._files.merge_list(view.change.project, patch_set, parent)
        return json_answer(request, [await self._shaper.commit(view.change.project, id) for id in ids])

    async def _base(self, request: web.Request) -> Against:
        view, patch_set = await self._shaper.revision(request)
        base, parent = request.query.get("base", ""), number_or_none(request, "parent")
        number = self._shaper.patch_set(view, base).number if base not in ("", "0") else None
        return against(patch_set, view.patch_sets, number, parent)


def base64_answer(data: bytes, kind: str) -> web.Response:
    """Content in base64, its own type beside it, as Gerrit sends files."""
    headers = {"X-FYI-Content-Encoding": "base64", "X-FYI-Content-Type": kind, "X-Content-Type-Options": "nosniff"}
    body = base64.b64encode(data)
    return web.Response(body=body, headers=headers, content_type="text/plain", charset="ISO-8859-1")


def attachment(data: bytes, kind: str, name: str) -> web.Response:
    """A file to be kept, never to be shown."""
    safe = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_" for letter in name)
    headers = {"Content-Disposition": f'attachment; filename="{safe}"', "X-Content-Type-Options": "nosniff"}
    return web.Response(body=data, headers=headers, content_type=kind)
