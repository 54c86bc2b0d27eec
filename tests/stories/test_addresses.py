# SPDX-License-Identifier: Apache-2.0
"""Several addresses of one account: added by a mailed link, preferred, taken away, and written into commits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import pytest

from tests.fakes.doors import Answer, Visitor
from tests.fakes.irc import free_port
from tests.fakes.mail_server import MailServer, mail_server
from tests.fakes.site import Builds, RunningSite, Template, eventually

HOME = "ann@home.example.net"


@pytest.fixture(scope="module")
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


@pytest.fixture(scope="module")
def site(template: Template, tmp_path_factory: pytest.TempPathFactory, server: MailServer) -> Iterator[RunningSite]:
    """A site that sends mail."""
    root = tmp_path_factory.mktemp("addresses")
    mail: dict[str, object] = {"mail.smtp": f"127.0.0.1:{server.port}", "mail.tls": "none"}
    directory = template.copy(root / "site", free_port(), mail)
    with RunningSite(directory, dict(template.tokens), root / "homes", Builds()) as running:
        yield running


def rest(site: RunningSite, who: str, method: str, path: str, body: object = None) -> Answer:
    """A call of REST."""
    visitor = Visitor(site, who, site.tokens[who], {"Accept": "application/json"})
    return visitor.send(method, f"/a/{path}", body) if body is not None else visitor.ask(method, f"/a/{path}")


class Signed:
    """A browser with somebody's session, which keeps what it is told once."""

    def __init__(self, site: RunningSite, who: str) -> None:
        account = site.do(site.app.identity.by_username(who))
        assert account is not None
        self._site = site
        self._cookies = {"gatebot_session": site.do(site.app.identity.open_session(account.id))}

    def ask(self, method: str, path: str, **form: str) -> Answer:
        """One request."""
        cookie = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        answer = Visitor(self._site, headers=headers).ask(method, path, urlencode(form).encode() if form else None)
        for one in answer.cookies:
            name, _, value = one.partition(";")[0].partition("=")
            self._cookies[name] = value.strip('"')
        return answer

    def page(self, path: str) -> str:
        """What a page says."""
        answer = self.ask("GET", path)
        assert answer.status == 200, answer.text
        return answer.text

    def send(self, page: str, path: str, **form: str) -> None:
        """A form of a page."""
        proof = self.page(page).partition('name="_xsrf" value="')[2].partition('"')[0]
        answer = self.ask("POST", path, **form, _xsrf=proof)
        assert answer.status == 303, answer.text


def emails(site: RunningSite, who: str = "ann") -> list[dict[str, object]]:
    return rest(site, who, "GET", "accounts/self/emails").json


def link_in(server: MailServer, address: str) -> str:
    """The path of the link that was mailed last."""
    mail = eventually(lambda: next(iter(reversed(server.to(address))), None))
    found = re.search(r"http://\S+/settings/emails/\S+", str(mail.get_content()))
    assert found is not None
    return urlsplit(found[0]).path


def commit_from(site: RunningSite, who: str, email: str) -> int:
    """Push a commit that this address wrote."""
    person = site.person(who)
    tree = person.clone("api", "home")
    tree.env |= {"GIT_AUTHOR_EMAIL": email, "GIT_COMMITTER_EMAIL": email}
    tree.commit("From home", home=f"{who}\n")
    return person.push(tree)


def test_a_mailed_link_adds_an_address_and_commits_are_taken_from_it(site: RunningSite, server: MailServer) -> None:
    asked = rest(site, "ann", "PUT", f"accounts/self/emails/{quote(HOME)}", {})
    assert (asked.status, asked.json) == (201, {"email": HOME, "pending_confirmation": True})
    assert emails(site) == [{"email": "ann@example.org", "preferred": True}]
    link = link_in(server, HOME)
    mail = server.to(HOME)[0]
    assert mail["Subject"] == "Your address at gatebot"
    assert (
        str(mail.get_content())
        .replace("\r\n", "\n")
        .startswith(
            f"Hello Ann,\n\nsomebody, probably you, wants {HOME} to be an address of the account ann at gatebot. "
            "Say yes here, within a day:\n"
        )
    )
    token = link.rpartition("/")[2]
    stranger = rest(site, "bob", "PUT", "config/server/email.confirm", {"token": token})
    assert stranger.status == 422
    assert stranger.text == (
        "This link is for another account than bob. Sign in to that one, and follow the link again.\n"
    )
    assert rest(site, "ann", "PUT", "config/server/email.confirm", {"token": f"{token[:-4]}AAAA"}).status == 422
    assert rest(site, "ann", "PUT", "config/server/email.confirm", {"token": token}).status == 204
    assert emails(site) == [{"email": "ann@example.org", "preferred": True}, {"email": HOME}]
    again = rest(site, "ann", "PUT", "config/server/email.confirm", {"token": token})
    assert (again.status, again.text) == (409, f"The address {HOME} belongs to your account already.\n")
    number = commit_from(site, "ann", HOME)
    assert site.person("bob").detail(number)["owner"]["username"] == "ann"
    with pytest.raises(AssertionError, match=rf"email address {HOME} is not registered in your account"):
        commit_from(site, "bob", HOME)
    assert "ann" in str(rest(site, "bob", "GET", f"changes/?q=owner:{quote(HOME)}&o=DETAILED_ACCOUNTS").json)


def test_mail_goes_to_the_preferred_address(site: RunningSite, server: MailServer) -> None:
    added = rest(site, "admin", "PUT", "accounts/cho/emails/cho%40far.example", {"no_confirmation": True})
    assert (added.status, added.json) == (201, {"email": "cho@far.example"})
    assert rest(site, "cho", "PUT", "accounts/self/emails/cho%40far.example/preferred").status == 201
    assert rest(site, "cho", "PUT", "accounts/self/emails/cho%40far.example/preferred").status == 200
    assert rest(site, "bob", "GET", "accounts/cho").json["email"] == "cho@far.example"
    number = site.person("bob").propose("api", "Ask Cho", {"cho": "x\n"})
    assert rest(site, "bob", "POST", f"changes/{number}/reviewers", {"reviewer": "cho@example.org"}).status == 200
    assert eventually(lambda: server.to("cho@far.example"))
    gone = rest(site, "cho", "DELETE", "accounts/self/emails/cho%40far.example")
    assert (gone.status, gone.text) == (
        409, "Mail goes to cho@far.example, so it stays. Let mail go to another address first, at /settings.\n"
    )  # fmt: skip
    assert rest(site, "cho", "DELETE", "accounts/self/emails/cho%40example.org").status == 204
    assert emails(site, "cho") == [{"email": "cho@far.example", "preferred": True}]


@pytest.mark.parametrize(
    ("who", "address", "body", "status", "told"),
    [
        ("ann", "nowhere", {}, 400, "nowhere is not an e-mail address. Write one such as name@example.org."),
        ("ann", "ann@example.org", {}, 409, "The address ann@example.org belongs to your account already."),
        (
            "ann", "BOB@example.org", {}, 409,
            "The address BOB@example.org belongs to another account. Use another address, or sign in to that account.",
        ),
        ("ann", "x@example.org", {"no_confirmation": True}, 403, ""),
        ("ann", "x@example.org", {"email": "y@example.org"}, 400, ""),
    ],
)  # fmt: skip
def test_what_cannot_be_an_address_of_an_account(
    site: RunningSite, who: str, address: str, body: object, status: int, told: str
) -> None:
    answer = rest(site, who, "PUT", f"accounts/self/emails/{quote(address)}", body)
    assert (answer.status, answer.text) == (status, f"{told}\n" if told else answer.text)


def test_others_addresses_are_nobodys_business(site: RunningSite) -> None:
    assert rest(site, "bob", "GET", "accounts/ann/emails").status == 403
    assert rest(site, "bob", "PUT", "accounts/ann/emails/x%40example.org", {}).status == 403
    assert rest(site, "bob", "DELETE", "accounts/ann/emails/x%40example.org").status == 403
    missing = rest(site, "ann", "PUT", "accounts/self/emails/x%40example.org/preferred")
    assert (missing.status, missing.text) == (
        404, "The address x@example.org is none of the further ones of this account. /settings lists them.\n"
    )  # fmt: skip


def test_the_settings_page_does_it_all(site: RunningSite, server: MailServer) -> None:
    browser = Signed(site, "bob")
    assert "Mail goes to bob@example.org. Commits may be written from any of these." in browser.page("/settings")
    browser.send("/settings", "/settings/emails", email="bob@away.example")
    assert "A link was mailed to bob@away.example. Follow it within a day" in browser.page("/settings")
    link = link_in(server, "bob@away.example")
    assert "Shall bob@away.example belong to the account bob?" in browser.page(link)
    browser.send(link, link)
    assert "The address bob@away.example belongs to your account now." in browser.page("/settings")
    browser.send("/settings", "/settings/emails", email="bob@away.example", do="prefer")
    assert "Mail goes to bob@away.example. Commits" in browser.page("/settings")
    browser.send("/settings", "/settings/emails", email="bob@example.org", do="delete")
    assert "✓</span> The address bob@example.org belongs to your account no more." in browser.page("/settings")
    browser.send("/settings", "/settings/emails", email="ann@example.org")
    assert "✗</span> The address ann@example.org belongs to another account." in browser.page("/settings")
    assert Signed(site, "ann").ask("GET", link).status == 403
    assert Visitor(site).get(link).status in (302, 401, 403)


def test_a_site_without_mail_says_who_adds_addresses(template: Template, tmp_path: Path) -> None:
    directory = template.copy(tmp_path / "site", free_port())
    with RunningSite(directory, dict(template.tokens), tmp_path / "homes", Builds()) as site:
        answer = rest(site, "ann", "PUT", "accounts/self/emails/x%40example.org", {})
        assert (answer.status, answer.text) == (
            403, "This site sends no mail, so nobody can prove an address. Ask an administrator to add it.\n"
        )  # fmt: skip
        assert emails(site) == [{"email": "ann@example.org", "preferred": True}]
        page = Signed(site, "ann").page("/settings")
        assert "Mail me a link" not in page
        assert "This site sends no mail (mail.smtp is not set)" in page
        assert "SSH is closed here, or open on the server's own machine alone (ssh.listen)" in page
