# SPDX-License-Identifier: Apache-2.0
"""How people get accounts: by mail, and from an OpenID Connect provider that runs as a process of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import pytest

from gatebot.app.places import SETTINGS
from tests.fakes.doors import Answer, Visitor
from tests.fakes.irc import free_port
from tests.fakes.mail_server import MailServer, mail_server
from tests.fakes.oidc_provider import LIES, SECRET, running_provider
from tests.fakes.site import Builds, RunningSite, Template, eventually

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with running_provider() as running:
        yield running


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


@pytest.fixture
def site(template: Template, tmp_path: Path, server: MailServer, issuer: str) -> Iterator[RunningSite]:
    """A site on which people sign up, and that knows a provider."""
    directory = template.copy(
        tmp_path / "site",
        free_port(),
        {
            "mail.smtp": f"127.0.0.1:{server.port}", "mail.tls": "none", "accounts.sign_up": "mail",
            "oidc.issuer": issuer, "oidc.name": "Example ID", "oidc.client_id": "gatebot",
            "oidc.client_secret_file": "oidc.secret",
        },
    )  # fmt: skip
    (directory / "oidc.secret").write_text(SECRET + "\n")
    with RunningSite(directory, dict(template.tokens), tmp_path / "homes", Builds()) as running:
        yield running


@dataclass
class Browser:
    """Keeps cookies and sends forms, as a browser does."""

    site: RunningSite
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, **form: str) -> Answer:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {**FORM, **({"Cookie": cookie} if cookie else {})}
        body = urlencode(form).encode() if form else None
        answer = Visitor(self.site, headers=headers).ask(method, path, body)
        for one in answer.cookies:
            name, _, value = one.partition(";")[0].partition("=")
            self.cookies[name] = value.strip('"')
        return answer

    def at_provider(self, who: str) -> str:
        """Sign in at the provider; the address to which it sends the browser back, below the site's."""
        away = self.ask("GET", "/login/oidc?next=/settings")
        assert away.status == 302
        url = f"{away.headers['location']}&{urlencode({'as': who})}"
        back = urlsplit(location_of(url))
        return f"{back.path}?{back.query}"


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def location_of(url: str) -> str:
    """Where an address leads."""
    with pytest.raises(HTTPError) as told:
        build_opener(_Stay).open(Request(url), timeout=20)
    with told.value as answer:
        return str(answer.headers["Location"])


def text_of(message: EmailMessage) -> str:
    return str(message.get_content()).replace("\r\n", "\n")


# -- by mail ---------------------------------------------------------------------------------------------------------


def test_a_person_signs_up_proves_the_address_and_pushes(site: RunningSite, server: MailServer) -> None:
    browser = Browser(site)
    assert "No account yet? Sign up" in browser.ask("GET", "/login").text
    sent = browser.ask("POST", "/signup", username="dan", name="Dan Dare", email="dan@example.org")
    assert "A mail is on its way to dan@example.org." in sent.text
    mail = eventually(lambda: next(iter(server.to("dan@example.org")), None))
    assert mail["Subject"] == "Your account at gatebot"
    address = re.search(r"http://\S+/signup/\S+", text_of(mail))
    assert text_of(mail) == (
        "Hello Dan Dare,\n\nsomebody, probably you, wants an account with the user name dan at gatebot. "
        f"Make it here, within a day:\n\n    {address and address[0]}\n\n"
        "If it was not you, do nothing: without this address there is no account.\n"
    )
    assert address is not None
    path = urlsplit(address[0]).path
    assert site.do(site.app.identity.by_username("dan")) is None
    short = browser.ask("POST", path, password="short")
    assert (short.status, "8" in short.text) == (400, True)
    made = browser.ask("POST", path, password="correct horse")
    assert (made.status, made.headers["location"]) == (303, "/settings")
    assert "Dan Dare" in browser.ask("GET", "/settings").text
    gone = browser.ask("GET", path)
    assert gone.status == 404
    assert "This address makes no account any more" in gone.text
    site.tokens["dan"] = "correct horse"
    assert site.person("dan").propose("api", "Add a door", {"door": "open\n"}) == 1


def test_nobody_learns_from_the_page_whose_address_is_known(site: RunningSite, server: MailServer) -> None:
    sent = Browser(site).ask("POST", "/signup", username="dan", name="", email="ANN@example.org")
    assert "A mail is on its way to ANN@example.org." in sent.text
    mail = eventually(lambda: next(iter(server.to("ANN@example.org")), None))
    assert "This address has one already. Sign in here:" in text_of(mail)


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"username": "ann", "email": "new@example.org"}, "The username ann is taken."),
        ({"username": "../x", "email": "new@example.org"}, "The username ../x cannot be used."),
        ({"username": "dan", "email": "nowhere"}, "nowhere"),
        ({"username": "dan", "email": "a,b@example.org"}, "a,b@example.org"),
    ],
)
def test_what_cannot_be_an_account_is_said_at_once(site: RunningSite, form: dict[str, str], problem: str) -> None:
    answer = Browser(site).ask("POST", "/signup", **form)
    assert answer.status == 400
    assert problem in answer.text


def test_signing_up_again_and_again_is_braked(site: RunningSite) -> None:
    answers = [Browser(site).ask("POST", "/signup", username=f"u{n}", email="dan@example.org") for n in range(12)]
    assert [answer.status for answer in answers[:10]] == [200] * 10
    assert answers[-1].status == 429
    assert (
        "An account was asked for too often, from here or for this address. Try again in a minute." in answers[-1].text
    )


def test_a_site_that_does_not_want_it_says_who_makes_accounts(template: Template, tmp_path: Path) -> None:
    directory = template.copy(tmp_path / "site", free_port())
    with RunningSite(directory, dict(template.tokens), tmp_path / "homes", Builds()) as site:
        answer = Browser(site).ask("GET", "/signup")
        assert answer.status == 403
        assert "Accounts are made by administrators here." in answer.text
        assert Browser(site).ask("GET", "/login/oidc").status == 404
    assert (directory / SETTINGS).exists()


# -- at a provider ---------------------------------------------------------------------------------------------------


def test_who_has_an_account_comes_into_it_by_a_verified_address(site: RunningSite) -> None:
    browser = Browser(site)
    assert "Sign in with Example ID" in browser.ask("GET", "/login").text
    back = browser.ask("GET", browser.at_provider("ann"))
    assert (back.status, back.headers["location"]) == (303, "/settings")
    assert "ann@example.org" in browser.ask("GET", "/settings").text
    again = Browser(site)
    assert again.ask("GET", again.at_provider("ann")).status == 303
    assert "<dd>ann</dd>" in again.ask("GET", "/settings").text


def test_who_comes_for_the_first_time_gets_an_account_with_a_name_that_fits(site: RunningSite) -> None:
    browser = Browser(site)
    assert browser.ask("GET", browser.at_provider("kim")).status == 303
    account = site.do(site.app.identity.by_email("kim@example.org"))
    assert account is not None
    assert (account.username, account.name) == ("kim-hana", "김 하나")
    other = Browser(site)
    assert other.ask("GET", other.at_provider("bob2")).status == 303
    made = site.do(site.app.identity.by_email("other@example.org"))
    assert made is not None
    assert made.username == "bob-2"


def test_an_address_that_is_not_verified_opens_nobodys_account(site: RunningSite) -> None:
    browser = Browser(site)
    refused = browser.ask("GET", browser.at_provider("mallory"))
    assert refused.status == 409
    assert "your provider does not say that the address is yours" in refused.text
    assert "gatebot_session" not in browser.cookies


@pytest.mark.parametrize("lie", LIES)
def test_what_is_not_signed_for_this_sign_in_is_refused(site: RunningSite, lie: str) -> None:
    browser = Browser(site)
    refused = Visitor(site, headers={"Accept": "text/plain"})
    path = browser.at_provider(f"ann/{lie}")
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    answer = refused.ask("GET", path, Cookie=cookie)
    assert answer.status == 401
    assert "The provider did not sign you in" in answer.text
    assert not any(one.startswith("gatebot_session") for one in answer.cookies)


def test_a_sign_in_that_another_browser_began_is_refused(site: RunningSite) -> None:
    begun, victim = Browser(site), Browser(site)
    path = begun.at_provider("ann")
    victim.at_provider("ann")
    assert victim.ask("GET", path).status in (302, 401)
    assert Browser(site).ask("GET", path).status in (302, 401)
    assert "gatebot_session" not in victim.cookies
    assert begun.ask("GET", path).status == 303
    assert begun.ask("GET", path).status in (302, 401)  # a code is good once
