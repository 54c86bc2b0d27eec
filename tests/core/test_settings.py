# SPDX-License-Identifier: Apache-2.0
"""Settings: defaults, the file that `gatebot init` writes, and every mistake told at once."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gatebot import assets
from gatebot.errors import SettingsError
from gatebot.executor.labels import label_errors
from gatebot.settings import Described, Irc, LabelErrors, Settings, described, load, resolve
from gatebot.settings_fields import Ssh, Web
from gatebot.settings_file import init_text


def refusal(text: str, labels: LabelErrors = lambda labels, kinds: ()) -> list[str]:
    """What a text is refused with, line by line."""
    with pytest.raises(SettingsError) as refused:
        load(text, "gatebot.toml", labels)
    return str(refused.value).splitlines()


def test_an_empty_file_is_all_defaults() -> None:
    assert load("", "gatebot.toml") == Settings()


def test_the_file_of_a_new_site_is_all_defaults_and_shows_every_setting() -> None:
    text = init_text()
    assert load(text, "gatebot.toml") == Settings()
    section = ""
    shown: set[str] = set()
    for line in text.splitlines():
        if found := re.match(r"#?\[+(providers\.)my-(\w+)\]$|#?\[+(\w+)[\w.]*\]+$", line):
            section = found[3] or found[1] + found[2]
        elif found := re.match(r"#(\w+) = ", line):
            shown.add(f"{section}.{found[1]}")
    assert {item.name for item in described()} <= shown


def test_the_shown_defaults_are_the_defaults() -> None:
    shown = re.sub(
        r"#\[(connections|third_party_ci|replication|webhook|tracker|announce|status|board|providers)\.[\w-]+\]\n.*?\n\n",
        "",
        init_text() + "\n",
        flags=re.DOTALL,
    )
    settings = load(re.sub(r"^#(?=\w+ = |\[)", "", shown, flags=re.MULTILINE).replace('host = ""', 'host = "h"'), "x")
    assert dataclasses.replace(settings, irc=(), labels=Settings().labels, where="gatebot.toml") == Settings()
    assert settings.irc == (Irc(host="h"),)
    assert dict(settings.labels["large"])["memory"] == "8G"


def test_what_init_is_told_is_set() -> None:
    text = init_text(
        {"web.listen": "[::1]:80", "executor.slots": 2}, irc=[{"host": "localhost", "channels": ["#a", "#b"]}]
    )
    settings = load(text, "gatebot.toml")
    assert settings.web.listen == "[::1]:80"
    assert settings.executor.slots == 2
    assert settings.irc == (Irc(host="localhost", channels=("#a", "#b")),)
    with pytest.raises(KeyError, match=r"there are no settings web\.lisen"):
        init_text({"web.lisen": "x"})


def test_every_setting_says_what_it_is_for() -> None:
    for item in described():
        assert item.about.endswith((".", "none.")), item.name
        assert len(item.about) > 10, item.name


def test_every_value_arrives_with_its_type() -> None:
    settings = load(
        """
        [site]
        name = "Example"
        [executor]
        enabled = false
        slots = 3
        [network]
        mirrors = ["mirror.example.org"]
        [git]
        max_pack = "2G"
        [logs]
        max_log = 1000
        [labels.small]
        memory = "1G"
        """,
        "gatebot.toml",
    )
    assert settings.site.name == "Example"
    assert (settings.executor.enabled, settings.executor.slots) == (False, 3)
    assert settings.network.mirrors == ("mirror.example.org",)
    assert (settings.git.max_pack, settings.logs.max_log) == (2 * 1024**3, 1000)
    assert dict(settings.labels["small"]) == {"memory": "1G"}


def test_a_label_is_like_another_one_in_all_that_it_does_not_say_itself() -> None:
    text = """
        [labels.cloud]
        memory = "8G"
        nested = true
        [labels.cloud-arm64]
        like = "cloud"
        arch = "arm64"
        memory = "6G"
        """
    found = load(text, "gatebot.toml", label_errors).labels
    assert dict(found["cloud-arm64"]) == {"memory": "6G", "nested": True, "arch": "arm64"}
    assert refusal('[labels.cloud]\n[labels.a]\nlike = "cloudd"\n[labels.b]\nlike = "a"\n[labels.c]\nlike = "c"') == [
        'gatebot.toml: labels.a.like: "cloudd" is no label that says all itself. Did you mean cloud?',
        'gatebot.toml: labels.b.like: "a" is no label that says all itself.',
        'gatebot.toml: labels.c.like: "c" is no label that says all itself.',
    ]


def test_all_mistakes_are_told_at_once_with_file_and_key() -> None:
    told = refusal(
        """
        [web]
        lisen = "127.0.0.1:8080"
        url = 5
        [exekutor]
        [executor]
        sandbox = "docker"
        slots = -1
        enabled = 1
        [git]
        max_pack = "much"
        max_refs = true
        [network]
        mirrors = "mirror.example.org"
        [[irc]]
        prot = 1
        """
    )
    assert told == [
        "gatebot.toml: executor.enabled: 1 cannot be used; write true or false, such as true.",
        'gatebot.toml: executor.sandbox: "docker" is none of auto, privileged, rootless, none.',
        "gatebot.toml: executor.slots: -1 is too small; the least is 0.",
        "gatebot.toml: exekutor: there is no such section. Did you mean executor?",
        'gatebot.toml: git.max_pack: "much" cannot be used; write a number of bytes, or a text such as "512M" or "2G".',
        "gatebot.toml: git.max_refs: true cannot be used; write a whole number, such as 100.",
        "gatebot.toml: irc 1.host: write the server to connect to.",
        "gatebot.toml: irc 1.prot: there is no such key. Did you mean port?",
        'gatebot.toml: network.mirrors: "mirror.example.org" cannot be used; write a list of texts in brackets, '
        "such as [].",
        "gatebot.toml: web.lisen: there is no such key. Did you mean listen?",
        'gatebot.toml: web.url: 5 cannot be used; write a text in quotes, such as "".',
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("= 5", "this is not TOML: Invalid statement (at line 1, column 1)."),
        ("web = 5", "web: this is a section; write [web] and its keys on the lines below it."),
        ("[irc]\nhost = 'x'", "irc: there can be several networks; write [[irc]] with two brackets."),
        ("providers = 5", "providers: write one section for each, such as [providers.hosts]."),
        (
            "[providers.x]\nkind = 'cloud'",
            'providers.x.kind: "cloud" is none of static, container, qemu, kubernetes, openstack.',
        ),
        ("[providers.x]", "providers.x.kind: write what it is, one of static, container, qemu, kubernetes, openstack."),
        (
            "[providers]\nx = 5",
            "providers.x: this is a section; write [providers.x] and its keys on the lines below it.",
        ),
        (
            "[providers.local]\nkind = 'static'",
            "providers.local: this machine is always there, and set in [executor]; choose another name.",
        ),
        ("[providers.x]\nkind = 'static'\nhosts = ['h']\nkey = 'k'", "providers.x.known_hosts: this is needed."),
        ("labels = 5", "labels: write one section for each label, such as [labels.small]."),
        ("[labels]\nsmall = 5", "labels.small: write [labels.small] and its keys on the lines below it."),
        (
            "[web]\nlisten = '8080'",
            'web.listen: "8080" cannot be used; write an address and a port, such as "127.0.0.1:8080" or "[::]:443".',
        ),
        ("[web]\nurl = 'example.org'", 'web.url: "example.org" cannot be used; write http:// or https://.'),
        ("[web]\ntls_key = 'k'", "web.tls_key: HTTPS needs tls_certificate and tls_key."),
        ("[web]\ntrusted_proxies = ['proxy']", "web.trusted_proxies: proxy is no address."),
        (
            "[database]\nurl = 'postgresql://gatebot:hunter2@db/gatebot'",
            "database.url: a password has no place here; put it into ~/.pgpass, or into PGPASSWORD of the server's "
            "environment.",
        ),
        ("[[irc]]\nnick = 'x'", "irc 1.host: write the server to connect to."),
        (
            "[[irc]]\nhost = 'a'\n[[irc]]\nhost = 'b'",
            "irc 2.name: irc is another network's name; choose one of its own.",
        ),
        (
            "[connections]\ngerrit = 1",
            "connections.gerrit: this is a section; write [connections.gerrit] and its keys on the lines below it.",
        ),
        (
            "[connections.gerrit]\nurl = 'x'\npassword_file = 'p'\nssh_key = 'k'\nknown_hosts = 'h'",
            'connections.gerrit.url: "x" cannot be used; write http:// or https://.',
        ),
        (
            "[connections.gerrit]\nurl = 'http://x'\npassword_file = 'p'\nssh_key = 'k'",
            "connections.gerrit.known_hosts: this is needed.",
        ),
        (
            "[third_party_ci.acme]\nurl = 'x'",
            'third_party_ci.acme.url: "x" cannot be used; write http:// or https://.',
        ),
        (
            "[third_party_ci.acme]\nrecheck = '('",
            'third_party_ci.acme.recheck: "(" is no RE2 expression: missing ): (.',
        ),
        (
            "[third_party_ci.'a b']",
            "third_party_ci.a b: a name is letters, digits, '.', '_' and '-'.",
        ),
        (
            "[third_party_ci]\nacme = 1",
            "third_party_ci.acme: this is a section; write [third_party_ci.acme] and its keys on the lines below it.",
        ),
        (
            "[connections.zuul]\nurl = 'http://x'\npassword_file = 'p'\nssh_key = 'k'\nknown_hosts = 'h'",
            "connections.zuul: zuul is this site's own; choose another name.",
        ),
        ("[[irc]]\nhost = 'a'\naccount = 'b'", "irc 1.account: SASL needs account and sasl_password_file."),
        (
            "[gate]\nzzz = 1",
            "gate.zzz: there is no such key. Known are: config_projects, submit_whole_topic, tenant, tenants_file.",
        ),
    ],
)
def test_a_mistake_says_what_to_write(text: str, told: str) -> None:
    assert refusal(text) == [f"gatebot.toml: {told}"]


@pytest.mark.parametrize(
    "text",
    [
        "[database]\nurl = 'postgresql://gatebot:hunter2@db/gatebot'",
        "[dispatch]\nnats = 'nats://gatebot:hunter2@db'\npassword_file = 'p'",
        "[third_party_ci.acme]\nurl = 'ftp://gatebot:hunter2@ci'",
    ],
)
def test_a_password_in_a_refused_address_is_not_repeated(text: str) -> None:
    assert "hunter2" not in "".join(refusal(text))


def test_a_provider_of_a_misspelt_kind_is_read_as_the_one_that_was_meant_so_all_its_mistakes_are_told() -> None:
    """What labels say is checked with the rest; of a provider whose kind nobody knows they may say anything."""
    told = refusal(
        """
        [providers.pods]
        kind = "kubernets"
        serverr = "https://k"
        [providers.odd]
        kind = "mainframe"
        [labels.pod]
        provider = "pods"
        arch = "amd46"
        network = "none"
        memmory = "2G"
        [labels.other]
        provider = "pots"
        arch = "sparc"
        [labels.odd]
        provider = "odd"
        nested = true
        [exekutor]
        """,
        label_errors,
    )
    assert [line.removeprefix("gatebot.toml: ") for line in told] == [
        "exekutor: there is no such section. Did you mean executor?",
        'labels.other.arch: "sparc" cannot be used. Write one of x86_64, arm64, ppc64le, s390x, riscv64.',
        "labels.other.provider: there is no [providers.pots]; this site has local, odd, pods. Did you mean pods?",
        'labels.pod.arch: "amd46" cannot be used. Write one of x86_64, arm64, ppc64le, s390x, riscv64. '
        "Did you mean amd64?",
        "labels.pod.memmory: there is no such key. Did you mean memory?",
        "labels.pod.network: a node of the provider pods (kubernetes) cannot be shut off like this; it has full. "
        "Write that, or another provider.",
        'providers.odd.kind: "mainframe" is none of static, container, qemu, kubernetes, openstack.',
        "providers.pods.image: this is needed.",
        'providers.pods.kind: "kubernets" is none of static, container, qemu, kubernetes, openstack. '
        "Did you mean kubernetes?",
        "providers.pods.server: this is needed.",
        "providers.pods.serverr: there is no such key. Did you mean server?",
        "providers.pods.token: this is needed.",
    ]


def test_the_address_of_the_site_is_derived_when_it_is_not_set() -> None:
    assert Settings().url == "http://127.0.0.1:8080"
    assert load("[web]\nurl = 'https://review.example.org/'", "x").url == "https://review.example.org"
    assert load("[web]\ntls_key = 'k'\ntls_certificate = 'c'", "x").url == "https://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("url", "listen", "told", "address"),
    [
        ("https://x.example", "0.0.0.0:29418", "", "x.example:29418"),
        ("https://x.example", "127.0.0.1:29418", "", ""),  # open on the server's own machine alone
        ("https://x.example", "127.0.0.1:29418", "ssh.x.example:22", "ssh.x.example:22"),
        ("http://localhost:8470", "127.0.0.1:29418", "", "localhost:29418"),
        ("https://x.example", "", "ssh.x.example:22", ""),
    ],
)
def test_where_ssh_is_reached_is_told_only_if_it_is(url: str, listen: str, told: str, address: str) -> None:
    site = Settings(web=Web(url=url), ssh=Ssh(listen=listen, address=told))
    assert site.ssh_address == address


def test_relative_paths_start_at_the_directory_of_the_file() -> None:
    settings = load("", "/srv/gatebot/gatebot.toml")
    assert resolve(settings, settings.site.data) == "/srv/gatebot"
    assert resolve(settings, "images", below="data") == "/srv/gatebot/data/images"
    assert resolve(settings, "/var/lib/images") == "/var/lib/images"


def test_every_setting_is_read_somewhere() -> None:
    """A setting that nothing acts on would be a lie."""
    source = Path(assets.__file__).parent
    by_property = {"web.url"}  # `Settings.url` reads it
    text = "\n".join(path.read_text() for path in source.rglob("*.py") if not path.name.startswith("settings"))
    # As code only: what a sentence or a comment names is not read.
    code = re.sub(r'"[^"\n]*"', '""', re.sub(r"#.*", "", text))
    unread = [
        item.name
        for item in described()
        if item.name not in by_property and not re.search(rf"\b{_holder(item)}s?\.{item.key}\b", code)
    ]
    assert unread == []


def _holder(item: Described) -> str:
    """What code calls a section: one of several connections a `connection`, a provider by its kind."""
    return item.section.removeprefix("providers.").removesuffix("s")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("digest = 2", "announce.demo.channel: this is needed."),
        (
            'channel = "#elsewhere"',
            "announce.demo.channel: the bot is not in #elsewhere; write it into channels of its [[irc]] too.",
        ),
        (
            'channel = "#demo"\nnetwork = "other"',
            "announce.demo.channel: the bot is not in #demo; write it into channels of its [[irc]] too.",
        ),
        (
            'channel = "#demo"\nevents = ["change-merge"]',
            'announce.demo.events: "change-merge" is nothing that is announced. Did you mean change-merged?',
        ),
        (
            'channel = "#demo"\nprojects = ["api", "^("]',
            'announce.demo.projects: "^(" is no RE2 expression: missing ): ^(.',
        ),
        (
            'channel = "#demo"\nlanguage = "de"',
            'announce.demo.language: "de" is none of en, ko.',
        ),
    ],
)
def test_a_channel_that_cannot_be_told_is_refused(written: str, told: str) -> None:
    network = '[[irc]]\nhost = "irc.example.org"\nchannels = ["#Demo"]\n'
    assert refusal(f"{network}[announce.demo]\n{written}") == [f"gatebot.toml: {told}"]


def test_parts_of_a_second_are_a_pause_between_lines() -> None:
    network = '[[irc]]\nhost = "x"\nnick = "n"\nchannels = ["#a"]\nseconds_between_lines = '
    for told, seconds in (("0.5", 0.5), ("3", 3.0), ("0", 0.0)):
        assert load(network + told, "gatebot.toml").irc[0].seconds_between_lines == seconds
    cannot = "cannot be used; write a number, such as 1.0."
    for told, why in (
        ("-0.5", "-0.5 is too small; the least is 0."),
        ("inf", f"Infinity {cannot}"),
        ("true", f"true {cannot}"),
    ):
        assert refusal(network + told) == [f"gatebot.toml: irc 1.seconds_between_lines: {why}"]


def test_a_channel_leads_one_board_whose_tracks_can_be_said() -> None:
    network = '[[irc]]\nhost = "x"\nnick = "n"\nchannels = ["#ptg"]\n'
    boards = '[board.a]\nchannel = "#ptg"\ntracks = ["#Info", "a/b", "nova"]\n[board.b]\nchannel = "#PTG"\n'
    assert refusal(network + boards) == [
        'gatebot.toml: board.a.tracks: "#Info" is a command (#info), so nobody could lead that track; '
        "call it otherwise.",
        'gatebot.toml: board.a.tracks: "a/b" is no name: 1 to 40 letters, without any of # + ~ / ? %.',
        "gatebot.toml: board.b.channel: the board a is led in #PTG already, and a channel leads one board; give this "
        "one another channel.",
    ]


def test_a_board_that_cannot_be_led_and_a_status_that_nobody_hears_are_refused() -> None:
    network = '[[irc]]\nhost = "irc.example.org"\nchannels = ["#demo"]\n'
    board = '[board.ptg]\ntracks = ["api sig"]\netherpad = "javascript:x"\n'
    assert refusal(f'{network}{board}[status.all]\nchannel = "#all"') == [
        "gatebot.toml: board.ptg.channel: this is needed.",
        'gatebot.toml: board.ptg.etherpad: "javascript:x" is no address; write one that begins with https://.',
        'gatebot.toml: board.ptg.tracks: "api sig" cannot be said as one word; write it without blanks.',
        "gatebot.toml: status.all.channel: the bot is not in #all; write it into channels of its [[irc]] too.",
    ]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('projects = ["a"]', "webhook.ci.url: this is needed."),
        ('url = "ci.example.org"', "webhook.ci.url: write http:// or https://, a host, and no fragment."),
        (
            'url = "https://bot:pass@ci.example.org/"',
            "webhook.ci.url: a password has no place here; put a secret into secret_file.",
        ),
        (
            'url = "https://ci.example.org"\nevents = ["change-merge"]',
            'webhook.ci.events: "change-merge" is no type of event. Did you mean change-merged?',
        ),
        (
            'url = "https://ci.example.org"\nprojects = ["("]',
            'webhook.ci.projects: "(" is no RE2 expression: missing ): (.',
        ),
        ('url = "https://ci.example.org"\nsecret = "x"', "webhook.ci.secret: there is no such key. Did you mean"),
    ],
)
def test_a_webhook_that_cannot_work_is_refused(written: str, told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(f"[webhook.ci]\n{written}\n", "gatebot.toml")
    assert told in str(refused.value)


def test_a_webhook_is_read() -> None:
    found = load('[webhook.ci]\nurl = "https://ci.example.org/?key=1"\nevents = ["ref-updated"]\n', "x").webhook["ci"]
    assert (found.url, found.events, found.account, found.local) == (
        "https://ci.example.org/?key=1", ("ref-updated",), "", False,
    )  # fmt: skip


@pytest.mark.parametrize("url", ["http://localhost:8080", "http://[::1]:8080"])
def test_mail_that_would_come_from_no_address_is_refused(url: str) -> None:
    written = f'[web]\nurl = "{url}"\n[mail]\nsmtp = "mail.example.org:25"\n'
    host = urlsplit(url).hostname
    with pytest.raises(SettingsError) as refused:
        load(written, "x")
    told = f"mail.sender: write an address; gatebot@{host}, which it would be, is none that others can read."
    assert str(refused.value) == f"x: {told}"
    assert load(f'{written}sender = "review@example.org"\n', "x").mail.sender == "review@example.org"
