# SPDX-License-Identifier: Apache-2.0
"""What a build left over REST: its tests, its requests, its servers, and text found in its files.

Nothing is shown on a page that is not told here. Who may see a build may ask; answers are bounded as pages are, and
say where there was more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from ...change import own_number
from ...errors import Invalid, NotFound
from ...reasons import reason
from ..ports import BuildFacts, Builds
from .comparing import Mark, counts, ordered
from .model import OUTPUT, RequestLine, TestCase, moment_of
from .pages import Allowed, Hidden, tests_of
from .service import BuildFiles
from .timeline import Step
from .view import asked_by

_API = r"/api/build/{build:[0-9a-f]{32}}"


def routes(builds: Builds, files: BuildFiles, allowed: Allowed, hidden: Hidden) -> list[web.RouteDef]:
    """Below the address of a build."""

    async def the_build(request: web.Request) -> BuildFacts:
        id = request.match_info["build"]
        found = await builds.build(id)
        if found is None:
            raise NotFound(reason=reason("executor.no-such-build", build=id))
        await allowed(request, id)
        await files.check(id)
        return found

    async def tests(request: web.Request) -> web.StreamResponse:
        found = await tests_of(files, hidden, request, await the_build(request))
        compared = found.compared
        return _json(
            {
                "counts": {str(outcome): count for outcome, count in counts(found.run).items()},
                "compared_with": found.before.build if found.before is not None else None,
                "compared_as": _what(found.before),
                "newly_failing": sorted(compared.newly_failing),
                "newly_passing": sorted(compared.newly_passing),
                "new": sorted(compared.added),
                "gone": sorted(compared.gone),
                "cut": found.run.cut,
                "troubles": found.run.troubles,
                "tests": [_case(case, compared.mark(case)) for case in ordered(found.run, compared)],
            }
        )

    async def ids(request: web.Request) -> web.StreamResponse:
        found, more = await files.requests((await the_build(request)).build)
        return _json({"requests": [{"id": id, "lines": count} for id, count in found], "more": more})

    async def lines(request: web.Request) -> web.StreamResponse:
        id = request.match_info["request"]
        found, more = await files.request((await the_build(request)).build, id)
        return _json({"id": id, "more": more, "lines": [_line(line) for line in found]})

    async def search(request: web.Request) -> web.StreamResponse:
        build, asked = (await the_build(request)).build, asked_by(request.query)
        if not asked.text:
            raise Invalid(reason=reason("executor.search-for-what"))
        name = request.query.get("file", OUTPUT)
        await asyncio.to_thread(files.logs.shelf.local, build, name)
        found = await files.find(build, name, asked.text, asked.after)
        hits = [{"line": one.number, "text": one.text} for one in found.lines]
        return _json({"file": name, "lines": hits, "continue_after": found.upto or None})

    return [
        web.get(_API + "/tests", tests),
        web.get(_API + "/requests", ids),
        web.get(_API + "/requests/{request:req-[0-9a-f-]{36}}", lines),
        web.get(_API + "/search", search),
        *_of_servers(files, the_build),
    ]


def _of_servers(files: BuildFiles, the_build: Callable[[web.Request], Awaitable[BuildFacts]]) -> list[web.RouteDef]:
    async def servers(request: web.Request) -> web.StreamResponse:
        found, more = await files.servers((await the_build(request)).build)
        return _json({"resources": [{"id": id, "lines": count} for id, count in found], "more": more})

    async def steps(request: web.Request) -> web.StreamResponse:
        id = request.match_info["resource"]
        found, more = await files.steps((await the_build(request)).build, id)
        return _json({"id": id, "more": more, "steps": [_step(step) for step in found]})

    return [
        web.get(_API + "/resources", servers),
        web.get(_API + "/resources/{resource:[0-9a-f]{8}-[0-9a-f-]{27}}", steps),
    ]


def _json(answer: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(answer), content_type="application/json")


def _what(before: BuildFacts | None) -> str | None:
    """What an earlier run was of."""
    if before is None:
        return None
    about = f"change {own_number(before.change)}" if before.change is not None else f"branch {before.branch}"
    return f"{about} in {before.pipeline}"


def _case(case: TestCase, mark: Mark | None) -> dict[str, object]:
    return {
        "name": case.name,
        "outcome": str(case.outcome),
        "mark": mark,
        "seconds": case.seconds,
        "output": case.output,
        "file": case.file,
    }


def _line(line: RequestLine) -> dict[str, object]:
    return {"file": line.file, "line": line.number, "at": _moment(line.at), "text": line.text}


def _step(step: Step) -> dict[str, object]:
    return {
        "happened": str(step.happened),
        "at": _moment(step.at),
        "until": _moment(step.until),
        "times": step.times,
        "text": step.text,
        "request": step.request or None,
        "file": step.file,
        "line": step.line,
    }


def _moment(at: float) -> str | None:
    moment = moment_of(at)
    return moment.isoformat() if moment else None
