# SPDX-License-Identifier: Apache-2.0
"""What a build left, as people read it: tests, requests across services' logs, files; by browser and command line."""

from __future__ import annotations

import json
import platform
import re

import pytest
from click.testing import CliRunner, Result
from playwright.sync_api import Browser, expect

from gatebot.architectures import canonical
from gatebot.cli import main
from tests.fakes.doors import Visitor
from tests.fakes.site import RunningSite
from tests.stories.test_browser import accessible

REQUEST = "req-11111111-2222-4333-8444-555555555555"
SERVER = "53764d92-e7eb-4508-b27a-548e504781cb"
OTHER = "req-99999999-2222-4333-8444-555555555555"
CONFIG = """\
- job: {name: boot, run: ci/cloud}
- project:
    check: {jobs: [boot]}
"""
CLOUD = f"""\
#!/bin/sh
set -e
cd "$GATEBOT_ARTIFACTS"
mkdir -p services reports
cat > services/nova-api.log <<'END'
2026-11-28 09:45:53.100 12 INFO nova.api.wsgi [{REQUEST} admin demo] POST /servers
2026-11-28 09:45:53.900 12 ERROR nova.api.wsgi [{REQUEST} admin demo] No valid host
2026-11-28 09:45:54.000 12 INFO nova.api.wsgi [{OTHER} admin demo] GET /servers
END
cat > services/nova-scheduler.log <<'END'
2026-11-28 09:45:53.500 31 INFO nova.scheduler [None {REQUEST} admin] [instance: {SERVER}] <b>0 hosts</b>
END
cat > services/journal.export <<'END'
__REALTIME_TIMESTAMP=1795859153600000
_SYSTEMD_UNIT=neutron.service
MESSAGE=port bound {REQUEST}

END
cat > services/glance.json <<'END'
{{"timestamp": "2026-11-28T09:45:53.700Z", "level": "INFO", "message": "image fetched {REQUEST}"}}
END
cat > reports/results.xml <<'END'
<testsuite><testcase classname="t.Boot" name="test_boot" time="2.5"><failure>No valid host</failure></testcase>
<testcase classname="t.Boot" name="test_list" time="0.25"/></testsuite>
END
cat > "$GATEBOT_RESULT" <<'END'
{{"zuul": {{"artifacts": [{{"name": "How it booted", "url": "artifacts/services/nova-api.log"}}]}}}}
END
echo "booting with {REQUEST}"
exit 1
"""


@pytest.fixture
def build(working_site: RunningSite) -> str:
    """The build of a job that left services' logs and test results, and failed."""
    ann = working_site.person("ann")
    change = ann.propose("api", "Boot", {".zuul.yaml": CONFIG, "ci/cloud": CLOUD})
    return re.findall(r"/build/(\w+)", ann.hears(change, "Build failed."))[0]


def said(site: RunningSite, *words: str) -> Result:
    env = {"GATEBOT_URL": site.url, "GATEBOT_USER": "ann", "GATEBOT_TOKEN": site.tokens["ann"]}
    done = CliRunner().invoke(main, ["build", *words], env=env, prog_name="gatebot", catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    return done


def told(site: RunningSite, *words: str) -> str:
    return said(site, *words).stdout


def test_everybody_reads_what_the_node_of_a_build_was(working_site: RunningSite, build: str) -> None:
    here = canonical(platform.machine())
    page = Visitor(working_site).get(f"/build/{build}").text
    assert f'<a href="/nodes">small</a> <span class="soft">{here} · native · local</span>' in page
    assert f"node: small, {here} native, local\n" in told(working_site, "show", build)
    (node,) = json.loads(told(working_site, "show", build, "--json"))["nodes"]
    assert (node["label"], node["execution"], node["provider"], node["executor"]) == ("small", "native", "local", None)


def test_tests_requests_and_servers_are_read_at_the_command_line(working_site: RunningSite, build: str) -> None:
    assert (
        told(working_site, "tests", build) == "failed\tt.Boot.test_boot\t2.50 s\t\npassed\tt.Boot.test_list\t0.25 s\t\n"
    )
    assert said(working_site, "tests", build).stderr == "1 failed, 1 passed\n"
    assert told(working_site, "tests", build, "--failed") == "failed: t.Boot.test_boot\n  No valid host\n"
    assert json.loads(told(working_site, "tests", build, "--json"))["counts"] == {
        "failed": 1,
        "passed": 1,
        "error": 0,
        "skipped": 0,
    }
    assert told(working_site, "requests", build) == f"{REQUEST}\t6\n{OTHER}\t1\n"
    assert told(working_site, "resources", build) == f"{SERVER}\t1\n"
    [step] = told(working_site, "resources", build, SERVER).splitlines()
    assert step.split("\t")[1:] == ["told", "", "<b>0 hosts</b>", "artifacts/services/nova-scheduler.log:1"]
    lines = told(working_site, "requests", build, REQUEST).splitlines()
    assert [line.split("\t")[1] for line in lines] == [
        "artifacts/services/nova-api.log:1",
        "artifacts/services/nova-scheduler.log:1",
        "artifacts/services/journal.export:1",
        "artifacts/services/glance.json:1",
        "artifacts/services/nova-api.log:2",
        "job-output.txt:2",
    ]


def test_a_reader_goes_from_the_failed_test_to_the_request_to_its_lines(
    working_site: RunningSite, build: str, browser: Browser
) -> None:
    context = browser.new_context(base_url=working_site.url, locale="en-GB")
    page = context.new_page()
    page.goto(f"/build/{build}")
    accessible(page)
    named = page.get_by_role("link", name="How it booted")
    expect(named).to_have_attribute("href", f"/logs/{build}/artifacts/services/nova-api.log")
    page.get_by_role("link", name=re.compile("tests", re.IGNORECASE)).first.click()
    expect(page.get_by_text("t.Boot.test_boot")).to_be_visible()
    expect(page.get_by_text("No valid host")).to_be_visible()
    accessible(page)
    page.goto(f"/build/{build}/requests")
    accessible(page)
    page.get_by_role("link", name=REQUEST).click()
    expect(page.locator("#main")).to_contain_text("<b>0 hosts</b>")
    expect(page.get_by_role("row", name="09:45:53.600 journal.export:1 neutron.service: port bound")).to_be_visible()
    accessible(page)
    page.get_by_role("link", name=re.compile("nova-scheduler.log")).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("nova-scheduler.log")
    accessible(page)
    context.close()


@pytest.mark.parametrize(("scheme", "language"), [("light", "ko-KR"), ("dark", "en-GB")])
def test_these_pages_fit_a_telephone_in_both_themes_and_languages(
    working_site: RunningSite, build: str, browser: Browser, scheme: str, language: str
) -> None:
    context = browser.new_context(
        base_url=working_site.url, color_scheme="dark" if scheme == "dark" else "light", locale=language,
        viewport={"width": 360, "height": 740},
    )  # fmt: skip
    page = context.new_page()
    for path in ("", "/tests", "/requests", f"/requests/{REQUEST}", "/files/artifacts/services/nova-api.log"):
        page.goto(f"/build/{build}{path}")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 360, f"{path} is {width} px wide"
        accessible(page)
    context.close()


def test_the_page_of_nodes_is_for_everybody(working_site: RunningSite, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(working_site.url)
    page.get_by_role("contentinfo").get_by_role("link", name="Nodes").click()
    assert page.get_by_role("heading", level=2).all_inner_texts() == ["In use", "Labels", "Providers"]
    assert "No build has a node now." in page.inner_text("#list")
    accessible(page)
