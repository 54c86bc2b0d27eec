# SPDX-License-Identifier: Apache-2.0
"""Hostile input at every door: it is refused with a sentence, shown as text, and leads nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gatebot.executor.scrub import Scrubber
from tests.fakes.doors import Visitor
from tests.fakes.site import Builds, RunningSite, Template, begin, eventually
from tests.stories.test_doors import Ground, built, furnish, talk

EVIL = """<script>alert(1)</script>"'><img src=x onerror=alert(1)>"""
BODIES = (
    b"{", b"[]", b'"x"', b"\xff\xfe{}", b"[" * 20_000, b'{"a":' * 20_000, b"1" * 5_000, b'{"message": "\\ud800"}',
    b'{"message": "\\u0000", "topic": "\\u0000"}', b'{"labels": {"Code-Review": 1e400}, "comments": {"a": [5]}}',
    b'{"labels": [], "comments": 7, "reviewers": {}, "add": 5, "reviewer": [], "pipeline": {}, "groups": 5}',
)  # fmt: skip
KINDS = (
    "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain; charset=?",
)  # fmt: skip
QUERIES = (
    "q=((((", "q=%00", "q=%ED%A0%80", f"q=change:{'9' * 4400}&change={'9' * 30}", "start=99999999999999999999",
    f"n={'9' * 4400}&limit=%C2%B2&skip=-1", f"first={'9' * 30}", f"count={'9' * 4400}",
    f"offset={'9' * 30}&since={'9' * 4400}&topics=a",
)  # fmt: skip
NAMES = (
    "%00",
    "..",
    "%2e%2e%2f%2e%2e%2fgatebot.toml",
    "%FF",
    "9" * 300,
    "x" * 3000,
    "api~main~I",
    "%0d%0aX:y",
    "%C2%B2",
)
OUTSIDE = (
    "/static/../../gatebot.toml", "/static/..%2f..%2fgatebot.toml", "/logs/BUILD/../../gatebot.db",
    "/logs/BUILD/..%2f..%2fgatebot.db", "/logs/BUILD/.%2e/gatebot.db", "/meetings/..%2f..%2fx/2026/a.html",
    "/meetings/../../gatebot.toml", "/meetings/a/%2e%2e/gatebot.html", "/logs/BUILD/.job-output.index",
)  # fmt: skip


@pytest.fixture
def ground(template: Template, place: Path) -> Iterator[Ground]:
    with begin(template, place, builds := Builds(), {"web.trusted_proxies": ["10.9.9.9"]}) as site:
        yield furnish(site, builds)


def test_what_cannot_be_understood_is_refused_with_a_sentence(ground: Ground) -> None:
    table, visitor = ground.tables[0], ground.visitor("admin")
    wrong: list[str] = []

    def look(method: str, path: str, body: bytes | None = None, kind: str = "application/json") -> None:
        answer = visitor.ask(method, path, body, Content_Type=kind)
        if answer.status >= 500 or "Traceback" in answer.text or (answer.status == 400 and not answer.text.strip()):
            wrong.append(f"{method} {path[:80]} {(body or b'')[:40]!r} {kind}: {answer.status}")

    for door in ground.doors(table):
        if door.route.startswith("/a/"):
            continue
        if door.writes and "git-" not in door.route:
            for body in BODIES:
                look(door.method, door.path, body)
            for kind in KINDS[1:]:
                look(door.method, door.path, BODIES[3], kind)
        elif not door.writes:
            for query in QUERIES:
                look("GET", f"{door.path.partition('?')[0]}?{query}")
        for place in table:
            if "{" + place + "}" in door.route and place != "slash":
                for name in NAMES:
                    path = door.route
                    for key, value in table.items():
                        path = path.replace("{" + key + "}", name if key == place else value)
                    look(door.method, path)
    look("POST", "/changes/1/revisions/current/review", b"x" * 11 * 1024**2)
    assert not wrong, "\n".join(wrong)


def test_no_path_leads_out_of_its_directory(ground: Ground) -> None:
    visitor = ground.visitor("admin")
    found = {path: visitor.get(path.replace("BUILD", ground.tables[0]["build"])).status for path in OUTSIDE}
    assert found == dict.fromkeys(OUTSIDE, 404)


class Scripts(HTMLParser):
    """What a page would run, or would lead to by running it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if (tag == "script" and "src" not in given) or "srcdoc" in given:
            self.found.append(tag)
        for name, value in attrs:
            if name.startswith("on") or (value or "").strip().lower().startswith(
                ("javascript:", "data:text", "vbscript:")
            ):
                self.found.append(f"{tag} {name}={value}")


def test_hostile_texts_are_shown_as_texts(ground: Ground) -> None:
    site = ground.site
    ann, admin = site.person("ann"), site.person("admin")
    admin.rest.call("PUT", "/projects/api/description", {"description": EVIL})
    work = ann.clone("api", "evil")
    work.put("a<img src=x onerror=alert(1)>.txt", EVIL)
    work.put("README.md", f"{EVIL}\n[x](javascript:alert(1))\n")
    work.commit(f"{EVIL}\n\njavascript:alert(1) https://x.org/{EVIL}")
    number = ann.push(work)
    admin.rest.call("PUT", f"/changes/{number}/topic", {"topic": EVIL.replace('"', "")})
    comment = {"README.md": [{"line": 1, "message": EVIL}]}
    admin.rest.call("POST", f"/changes/{number}/revisions/current/review", {"message": EVIL, "comments": comment})
    row = site.do(built(site, 1))
    assert row is not None
    log = site.app.logs.open(row.build, Scrubber({}))
    log.stream()(f"{EVIL}\n\x1b[31m{EVIL}\x1b[0m\x1b]8;;javascript:alert(1)\x07x\n".encode())
    site.app.logs.close(row.build)
    artifact = site.app.logs.directory(row.build) / "artifacts" / "x<img src=x onerror=alert(1)>.html"
    artifact.parent.mkdir()
    artifact.write_text(EVIL)
    talk(
        site,
        "#startmeeting " + EVIL,
        "#topic " + EVIL,
        "#info " + EVIL,
        "#link javascript:alert(1) x",
        EVIL,
        "#endmeeting",
        "#success " + EVIL,
    )
    admin.rest.call("POST", "/api/status-log", {"kind": "alert", "text": EVIL})  # on every page from now on
    eventually(lambda: "alert(1)" in ground.visitor("stranger").get("/successes").text.partition("<main")[2])
    table = ground.tables[0] | {"id": str(number), "number": str(number)}
    pages = [door.path for door in ground.doors(table) if not door.writes]
    pages += [f"/search?q={part}" for part in ("alert", "%3Cscript%3Ealert(1)%3C/script%3E", "%22onclick=alert(1)")]
    pages += ["/successes", "/status-log", "/status-log?lang=ko", "/notices"]
    pages += ["/login?next=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "/meeting/2", "/builds?job=%22%3E%3Cscript%3E"]
    pages += ["/q/%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "/%3Cscript%3Ealert(1)%3C/script%3E", "/meeting/2?lang=ko"]
    pages += [f"/meetings/{found['minutes'].removeprefix('/meetings/')}" for found in admin.rest.get("/api/meetings")]
    shown = 0
    for path in pages:
        answer = ground.visitor("admin").get(path)
        if not answer.is_page:
            continue
        scripts = Scripts()
        scripts.feed(answer.text)
        assert scripts.found == [], path
        assert "default-src" in answer.headers["content-security-policy"], path
        shown += "alert(1)" in answer.text
    assert shown > 10


def test_signing_in_leads_nowhere_else_and_its_cookies_are_kept_from_scripts(site: RunningSite) -> None:
    admin = site.do(site.app.identity.by_username("admin"))
    assert admin is not None
    site.do(site.app.identity.set_password(admin.id, "a long password"))
    visitor, form = Visitor(site), "application/x-www-form-urlencoded"
    for target in ("https://evil.org", "//evil.org", "/%5Cevil.org", "/%09/evil.org", "javascript:alert(1)", "evil"):
        body = f"username=admin&password=a+long+password&next={target}".encode()
        answer = visitor.ask("POST", "/login", body, Content_Type=form)
        assert (answer.status, answer.headers["location"]) == (303, "/"), target
        session = next(cookie for cookie in answer.cookies if cookie.startswith("gatebot_session="))
        assert {"HttpOnly", "SameSite=Lax"} <= {part.strip() for part in session.split(";")}


def test_only_a_trusted_proxy_tells_of_its_client(template: Template, tmp_path: Path) -> None:
    """A password that came by plain HTTP from elsewhere is refused; tokens are not."""
    told = {"X_Forwarded_For": "203.0.113.7", "X_Forwarded_Proto": "http"}
    body, form = b"username=admin&password=wrong", "application/x-www-form-urlencoded"
    with begin(template, tmp_path / "trusting", Builds(), {"web.trusted_proxies": ["127.0.0.0/8"]}) as site:
        visitor = Visitor(site)
        refused = visitor.ask("POST", "/login", body, Content_Type=form, **told)
        assert refused.status == 403
        assert "Passwords are not taken over plain HTTP from other machines" in refused.text
        assert (
            visitor.ask("POST", "/login", body, Content_Type=form, **told | {"X_Forwarded_Proto": "https"}).status
            == 401
        )
        assert visitor.ask("POST", "/login", body, Content_Type=form).status == 401
        assert Visitor(site, "admin", "wrong").get("/a/accounts/self", **told).status == 401
        assert Visitor(site, "admin", site.tokens["admin"]).get("/a/accounts/self", **told).status == 200
    with begin(template, tmp_path / "wary", Builds()) as site:
        assert Visitor(site).ask("POST", "/login", body, Content_Type=form, **told).status == 401


def test_what_is_secret_is_readable_by_its_owner_only(template: Template) -> None:
    directory = template.directory
    modes = {name: (directory / name).stat().st_mode & 0o777 for name in ("admin.token", "data/gatebot.db")}
    assert modes == {"admin.token": 0o600, "data/gatebot.db": 0o600}
