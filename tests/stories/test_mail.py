# SPDX-License-Identifier: Apache-2.0
"""Mail of a whole site: what people get, how they end it from their mail program, and where everybody reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.fakes.doors import Visitor
from tests.fakes.irc import free_port
from tests.fakes.mail_server import MailServer, mail_server
from tests.fakes.site import Builds, RunningSite, Template, eventually


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


@pytest.fixture
def site(template: Template, tmp_path: Path, builds: Builds, server: MailServer) -> Iterator[RunningSite]:
    """A site that mails."""
    mail = {"mail.smtp": f"127.0.0.1:{server.port}", "mail.tls": "none", "mail.sender": "review@example.org"}
    directory = template.copy(tmp_path / "site", free_port(), {**mail, "site.name": "Example"})
    with RunningSite(directory, dict(template.tokens), tmp_path / "homes", builds) as running:
        yield running


def first(server: MailServer, reader: str, kind: str, writer: str = "") -> EmailMessage:
    """The first mail of a kind, and of a writer, that somebody gets, as soon as it comes."""
    wanted = (kind, writer)
    return eventually(
        lambda: next((m for m in server.to(f"{reader}@example.org") if _is(m, *wanted)), None),
        f"mailed to {reader}: {kind}",
    )


def _is(message: EmailMessage, kind: str, writer: str) -> bool:
    return message["X-Gerrit-MessageType"] == kind and writer in message["From"]


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return body.get_content().replace("\r\n", "\n")


def test_a_change_is_mailed_from_its_push_to_its_merge_as_one_thread(
    site: RunningSite, server: MailServer, builds: Builds
) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    work = ann.clone("api")
    work.commit("Add a bell", bell="ding\n")
    assert work.run("push", "origin", "HEAD:refs/for/main%r=bob").returncode == 0
    asked = first(server, "bob", "newchange")
    assert asked["Subject"] == "Change in api[main]: Add a bell"
    assert asked["From"] == '"Ann (Example)" <review@example.org>'
    assert asked["To"] == "Ann <ann@example.org>, Bob <bob@example.org>" or asked["To"] == "Bob <bob@example.org>"
    assert "Attention is currently required from: Bob." in text_of(asked)
    bob.rest.call(
        "POST",
        "/changes/1/revisions/current/review",
        {"labels": {"Code-Review": 2, "Workflow": 1},
         "comments": {"bell": [{"line": 1, "message": "Louder next time"}]}},
    )  # fmt: skip
    said = first(server, "ann", "comment", "Bob")  # the gate may have said something before
    assert "Patch Set 1: Code-Review+2 Workflow+1" in text_of(said)
    assert "PS1, line 1: ding\n\nLouder next time" in text_of(said)
    builds.finish("gate", 1)
    merged = first(server, "ann", "merged")
    assert said["References"] == merged["References"] == asked["Message-ID"]
    assert "gatebot@" not in {reader for reader, _ in server.taken}
    month = eventually(lambda: re.findall(r"/mail/api/(\d{4}-\d{2})", Visitor(site).get("/mail/").text))[0]
    page = eventually(
        lambda: (found := Visitor(site).get(f"/mail/api/{month}").text) and "was merged by" in found and found
    )
    assert page.count("<article") == page.count("</article") >= 3
    assert "Louder next time" in page
    assert "@example.org" not in page


def test_a_person_ends_mail_from_the_mail_program_and_hears_again_when_he_wants(
    site: RunningSite, server: MailServer
) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    number = ann.propose("api", "Add a bell", {"bell": "ding\n"})
    bob.rest.call("POST", f"/changes/{number}/reviewers", {"reviewer": "bob"})
    bob.review(number, "One")
    address = first(server, "ann", "comment")["List-Unsubscribe"].strip("<>")
    assert first(server, "ann", "comment")["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    door = urlsplit(address).path
    assert "What shall end?" in Visitor(site).get(door).text
    one_click = {"Content-Type": "application/x-www-form-urlencoded"}
    done = Visitor(site, headers=one_click).ask("POST", door, "List-Unsubscribe=One-Click")
    assert (done.status, "You hear no more of api." in done.text) == (200, True)
    page = Visitor(site, "ann", site.tokens["ann"]).get("/settings/mail")
    assert "Projects that you hear nothing of" in page.text
    bob.review(number, "Two")
    cho = site.person("cho")
    cho.review(number, "Three")
    eventually(lambda: any("Three" in text_of(m) for m in server.to("bob@example.org")) or None)
    assert not any("Two" in text_of(message) for message in server.to("ann@example.org"))
    ann_form = Visitor(site, "ann", site.tokens["ann"], headers=one_click)
    assert ann_form.ask("POST", "/settings/mail", "hear=api").status == 303
    bob.review(number, "Four")
    eventually(lambda: any("Four" in text_of(m) for m in server.to("ann@example.org")) or None)


def test_an_address_that_was_not_made_here_ends_nothing(site: RunningSite) -> None:
    answer = Visitor(site).get("/mail/-/AAAA")
    assert answer.status == 404
    assert "This address does not end any mail here." in answer.text
    assert Visitor(site).ask("POST", "/mail/-/AAAA").status == 404


def test_only_my_turn_is_a_choice_of_rest_and_a_wrong_one_is_refused(site: RunningSite) -> None:
    ann = site.person("ann")
    kept = ann.rest.call("PUT", "/accounts/self/preferences", {"email_strategy": "ATTENTION_SET_ONLY"})
    assert kept["email_strategy"] == "ATTENTION_SET_ONLY"
    refused = Visitor(site, "ann", site.tokens["ann"], headers={"Content-Type": "application/json"}).ask(
        "PUT", "/a/accounts/self/preferences", '{"email_strategy": "SOMETIMES"}'
    )
    assert refused.status == 400
    assert "it is one of ENABLED, CC_ON_OWN_COMMENTS, ATTENTION_SET_ONLY, DISABLED" in refused.text


def test_the_health_page_tells_how_sending_goes(site: RunningSite) -> None:
    site.person("ann").propose("api", "Add a bell", {"bell": "ding\n"})
    part = Visitor(site).get("/health", Accept="application/json").json["parts"]["mail"]
    assert part["ok"] is True
    assert re.fullmatch(r"\d waiting.*", part["text"])
