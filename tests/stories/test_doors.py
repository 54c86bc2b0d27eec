# SPDX-License-Identifier: Apache-2.0
"""Every door of a site, tried by everybody: nothing breaks, strangers change nothing, private things stay invisible."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gatebot.executor.scrub import Scrubber
from gatebot.identity import GATE
from gatebot.meetbot.model import Line
from gatebot.meetbot.store import Heard
from gatebot.pipeline import history
from gatebot.review.openapi_said import unused
from tests.fakes.described import strays
from tests.fakes.doors import Answer, Door, Visitor, doors
from tests.fakes.git import WorkTree
from tests.fakes.site import Builds, RunningSite, Template, begin, eventually, open_place

SERVER = "53764d92-e7eb-4508-b27a-548e504781cb"
REQUEST = "req-e4b65285-c9b2-48cb-963d-97cc84135279"
SECRET = "Sesame-opens-the-mountain"
ROLES = ("stranger", "dan", "bob", GATE, "admin")
#: What strangers may send: signing in and out, and fetching.
OPEN = {
    "/login",
    "/logout",
    "/mail/-/{pass}",
    "/signup/{signup}",
    "/api/meetings/check",
    "/{path}/git-upload-pack",
    "/api/build/{build}/git/{project}/git-upload-pack",
}
#: Pages that only tell where they are, whatever stands in their address.
LISTS = {"/q/{query}", "/search"}
#: Who sees what is private: administrators, and its reviewers, as which the gate counts once it voted.
SEES = {"admin", GATE}


@dataclass(frozen=True)
class Ground:
    """A site with something behind each door. Change 1 is everybody's, change 2 is ann's alone."""

    site: RunningSite
    tokens: dict[str, str]
    secrets: tuple[str, ...]
    tables: tuple[dict[str, str], dict[str, str]]

    def visitor(self, role: str) -> Visitor:
        return Visitor(self.site) if role == "stranger" else Visitor(self.site, role, self.tokens[role])

    def doors(self, table: dict[str, str]) -> Iterator[Door]:
        special = {
            "/static": "/static/site.css",
            "/logs/{build}/{path}": f"/logs/{table['build']}/job-output.txt",
            "/build/{build}/files/{path}": f"/build/{table['build']}/files/job-output.txt",
            "/build/{build}/requests/{request}": f"/build/{table['build']}/requests/{REQUEST}",
            "/api/build/{build}/requests/{request}": f"/api/build/{table['build']}/requests/{REQUEST}",
            "/build/{build}/resources/{resource}": f"/build/{table['build']}/resources/{SERVER}",
            "/api/build/{build}/resources/{resource}": f"/api/build/{table['build']}/resources/{SERVER}",
            "/api/build/{build}/git/{project}/info/refs": f"/api/build/{table['build']}/git/api/info/refs"
            "?service=git-upload-pack",
            "/api/change/{number}/assignment": f"/api/change/{table['number']}/assignment?job=unit",
            "/api/build/{build}/search": f"/api/build/{table['build']}/search?q=log",
            "/c/{project}/+/{number}/{parent}..{patch_set}{file}": f"/c/api/+/{table['number']}/-1..1",
            "/{path}/info/refs": "/api/info/refs?service=git-upload-pack",
            "/live": f"/live?topics=change/{table['number']},queue,log/{table['build']}",
            "/irclogs/{channel}/{file}": "/irclogs/%23team/%23team.2026-11-22.log.html",
            "/search": f"/search?q={SECRET}",
            "/q/{query}": f"/q/message:{SECRET}%20OR%20status:open",
            "/changes{slash}": "/changes/?q=is:private%20OR%20status:open&o=ALL_REVISIONS&o=CURRENT_COMMIT",
            "/meetings/{name}/{year}/{file}": "/meetings/team/2026/team.2026-11-22-12.00.html",
        }
        return doors(self.site.app.application, table, special)


@pytest.fixture(scope="module")
def ground(template: Template) -> Iterator[Ground]:
    with open_place() as place, begin(template, place, builds := Builds()) as site:
        yield furnish(site, builds)


def furnish(site: RunningSite, builds: Builds) -> Ground:
    tokens = dict(site.tokens)
    identity = site.app.identity
    dan = site.do(identity.create("dan", name="Dan", email="dan@example.org"))
    gate = site.do(identity.by_username(GATE))
    assert gate is not None
    tokens |= {"dan": site.do(identity.create_token(dan.id, "t")), GATE: site.do(identity.create_token(gate.id, "t"))}
    ann = site.person("ann")
    assert ann.propose("api", "Add a", {"a.txt": "a\n"}) == 1
    work = ann.clone("api", "private")
    commit = work.commit(f"{SECRET}\n\nTopic of nobody else.", sesame="open\n")
    done = work.run("push", "origin", "HEAD:refs/for/main%private")
    assert done.returncode == 0, done.stderr
    change_id = work.git("log", "-1", "--format=%(trailers:key=Change-Id,valueonly)")
    ann.rest.call("POST", "/changes/2/revisions/current/review", {"message": f"I say {SECRET}"})
    rows = [eventually(lambda n=n: site.do(built(site, n)), f"built: {n}") for n in (1, 2)]
    for row in rows:
        log = site.app.logs.open(row.build, Scrubber({}))
        log.stream()(f"log of {SECRET if row.change == 2 else 'a'}\n".encode())
        site.app.logs.close(row.build)
    talk(site, "#startmeeting team", "#info see change 1", "#endmeeting")
    common = {
        "project": "api", "patch_set": "1", "base": "1", "revision": "current", "account": "ann", "branch": "main",
        "label": "Code-Review", "requirement": "Docs", "dashboard": "team:main", "cache": "words.say", "task": "1",
        "query": "status:open", "slash": "", "name": "team", "year": "2026",
        "day": "2026-11-22", "channel": "%23team", "file": "x", "path": "api",
        "tenant": "main", "pipeline": "check", "job": "unit", "verb": "dequeue", "request": "1", "key": "0" * 16,
        "executor": "far", "report": "started", "visit": "0" * 32, "store": "api", "group": "Core", "member": "Core",
        "email": "ann%40example.org", "token": "spare", "seq": "1", "capability": "administrateServer",
        "pass": "AAAA", "signup": "AAAA", "link": "AAAA", "month": "2026-11", "draft": "0" * 16, "comment": "0" * 16,
        "who": "ann", "commit": "main", "tag": "v0", "fix": "0" * 16, "lines": "9000-9001", "page": "thanks",
        "below": "", "talk": "/comments", "next": "x", "kind": "id", "one": "abcd",
    }  # fmt: skip
    tables = [
        common
        | {"id": str(row.change), "number": str(row.change)}
        | {"build": row.build, "buildset": row.buildset, "node": row.build}
        for row in rows
    ]
    return Ground(site, tokens, (SECRET, commit, change_id, "sesame.txt"), (tables[0], tables[1]))


async def built(site: RunningSite, change: int) -> history.BuildRow | None:
    rows = await site.app.db.read(history.find_builds, change=change)
    return next((row for row in rows if row.result), None)


def talk(site: RunningSite, *texts: str) -> None:
    async def say() -> None:
        for text in texts:
            site.app.irc.bot.hear(Heard("irc", "#team", Line(site.app.clock.now(), "ann", text)))
        await site.app.irc.bot.settled()

    site.do(say())


def sound(door: Door, answer: Answer) -> list[str]:
    """What is wrong with any answer at all."""
    wrong: list[str] = []
    if answer.status >= 500:
        wrong.append(f"broke: {answer.text[:200]}")
    if "Traceback" in answer.text:
        wrong.append("shows a stack trace")
    if answer.is_page and "default-src" not in answer.headers.get("content-security-policy", ""):
        wrong.append("has no Content-Security-Policy")
    if answer.headers.get("x-content-type-options") != "nosniff" and answer.headers.get("content-type") is None:
        wrong.append("lets browsers guess its type")
    if answer.status in (400, 403, 409) and not answer.text.strip():
        wrong.append("refuses without a sentence")
    return [f"{door.method} {door.path} {answer.status}: {text}" for text in wrong]


def test_the_owner_sees_what_is_private(ground: Ground) -> None:
    ann = Visitor(ground.site, "ann", ground.site.tokens["ann"])
    table = ground.tables[1]
    shown = [door for door in ground.doors(table) if not door.writes and names_private(door)]
    refused = [door.path for door in shown if ann.ask(door.method, door.path).status >= 400]
    machines = "/api/executor/"  # are no matter of accounts
    nothing = (
        "/reviewers/ann",
        "/files/x/",
        "/edit/x",
        "1/x",
        "0000",
        "/edit:message",
        "/pure_revert",
    )  # she reviews nothing, her change reverts nothing, and there is no such file, draft, comment, edit
    wrong = [path for path in refused if not path.startswith(machines) and not any(part in path for part in nothing)]
    assert wrong == []


@pytest.mark.parametrize("protocol", ["0", "2"])
@pytest.mark.parametrize("who", ["stranger", "dan", "bob"])
def test_git_keeps_private_patch_sets(ground: Ground, tmp_path: Path, who: str, protocol: str) -> None:
    work, version = WorkTree.new(tmp_path / "work"), f"protocol.version={protocol}"
    assert "refs/changes/02" not in work.git("-c", version, "ls-remote", address(ground, who))
    commit = ground.secrets[1]
    for wanted in ("refs/changes/02/2/1", commit):
        done = work.run("-c", version, "fetch", address(ground, who), wanted)
        assert done.returncode == 128, wanted
        assert (
            f"not our ref {commit}" in done.stderr
            or "couldn't find remote ref" in done.stderr
            or ("Server does not allow request for unadvertised object" in done.stderr)
        ), done.stderr
    assert work.run("cat-file", "-e", commit).returncode != 0


def test_git_gives_no_object_of_a_private_patch_set_to_who_knows_its_id(ground: Ground, tmp_path: Path) -> None:
    """Below git's own client: the wants of a request, in both protocols, in small and in capital letters."""
    work = WorkTree.new(tmp_path / "work")
    work.git("fetch", address(ground, "ann"), "refs/changes/02/2/1")
    tree, blob = work.git("rev-parse", "FETCH_HEAD^{tree}"), work.git("rev-parse", "FETCH_HEAD:sesame")
    dan = ground.visitor("dan")
    for wanted in (ground.secrets[1], ground.secrets[1].upper(), tree, blob):
        for headers, request in (
            ({"Git_Protocol": "version=2"}, ["command=fetch", "", f"want {wanted}\n", "done\n", None]),
            ({}, [f"want {wanted} no-progress\n", None, "done\n"]),
        ):
            answer = dan.ask("POST", "/api/git-upload-pack", packets(request), **headers)
            assert "PACK" not in answer.text, wanted
            assert answer.status == 200
            assert "not our ref" in answer.text
    public = ground.site.branch("api")
    request = packets(["command=fetch", "", f"want {public}\n", "done\n", None])
    assert "PACK" in dan.ask("POST", "/api/git-upload-pack", request, Git_Protocol="version=2").text


def test_strangers_change_nothing(ground: Ground) -> None:
    stranger, cookie = ground.visitor("stranger"), signed_in(ground)
    wrong: list[str] = []
    for door in ground.doors(ground.tables[0]):
        if door.writes and door.route not in OPEN:
            answer = stranger.ask(door.method, door.path)
            if answer.status not in (401, 403):
                wrong.append(f"{door.method} {door.path} answers {answer.status} to a stranger")
        if door.writes:
            answer = Visitor(ground.site, headers={"Cookie": cookie}).ask(door.method, door.path)
            if answer.status not in (401, 403):
                wrong.append(f"{door.method} {door.path} answers {answer.status} to another site's form")
    assert not wrong, "\n".join(wrong)


def signed_in(ground: Ground) -> str:
    """The cookie of a browser in which bob is signed in."""
    identity = ground.site.app.identity
    bob = ground.site.do(identity.by_username("bob"))
    assert bob is not None
    return f"gatebot_session={ground.site.do(identity.open_session(bob.id))}"


def test_a_route_with_an_unknown_place_is_told(ground: Ground) -> None:
    table = {name: value for name, value in ground.tables[0].items() if name != "label"}
    with pytest.raises(pytest.fail.Exception, match="has the place label, which nobody fills in"):
        list(ground.doors(table))


@pytest.mark.parametrize("role", ROLES)
def test_no_door_breaks_and_private_things_stay_invisible(ground: Ground, role: str) -> None:
    visitor = ground.visitor(role)
    description = visitor.get("/openapi.json").json
    wrong: list[str] = []
    for table in ground.tables:
        for door in ground.doors(table):
            if door.path.endswith(("/settings/token", "/settings/password")):
                continue
            answer = visitor.ask(door.method, door.path)
            wrong += sound(door, answer)
            if (called := door.route.replace("{slash}", "")) in description["paths"]:
                kind = answer.headers.get("content-type", "")
                wrong.append(strays(description, door.method, called, answer.status, kind, answer.text))
            if role in SEES:
                continue
            if door.route not in LISTS:
                wrong += [f"{door.method} {door.path} shows {said}" for said in ground.secrets if said in answer.text]
            other = ground.tables[1]["build"]
            if other in answer.text and other not in door.path:
                wrong.append(f"{door.method} {door.path} shows a private build")
            if table is ground.tables[1] and answer.status < 400 and names_private(door):
                wrong.append(f"{door.method} {door.path} {answer.status}: a private thing is there")
    wrong = [text for text in wrong if text]
    assert not wrong, "\n".join(wrong)


def test_the_description_of_the_calls_speaks_of_no_others(ground: Ground) -> None:
    described = ground.visitor("stranger").get("/openapi.json").json["paths"]
    assert unused([f"{method.upper()} {path}" for path, one in described.items() for method in one]) == []


def names_private(door: Door) -> bool:
    """Whether the address names the private change or its build, and is not a way to nothing."""
    places = ("{id}", "{number}", "{build}", "{buildset}")
    meetings = ("/meeting", "/actions/")  # count things of their own
    return any(place in door.route for place in places) and not any(part in door.route for part in meetings)


def packets(lines: list[str | None]) -> bytes:
    """Lines as git sends them: empty text is a delimiter, None a flush."""
    texts = ("0000" if line is None else f"{len(line) + 4:04x}{line}" if line else "0001" for line in lines)
    return "".join(texts).encode()


def address(ground: Ground, who: str) -> str:
    if who == "stranger":
        return f"{ground.site.url}/api"
    token = ground.site.tokens.get(who) or ground.tokens[who]
    return f"{ground.site.url.replace('://', f'://{who}:{token}@')}/a/api"
