# SPDX-License-Identifier: Apache-2.0
"""What a site tested, or would test, on the machine of a reader: the real command, git over HTTP, the real sandbox."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from shutil import rmtree

import msgspec
import pytest

from gatebot.app.handed import SiteGit, fetch
from gatebot.errors import Invalid, Unavailable
from gatebot.keys import boxes
from gatebot.pipeline import history
from gatebot.pipeline.reproducing.model import Handed
from gatebot.words import say
from tests.fakes.doors import Visitor
from tests.fakes.git import WorkTree
from tests.fakes.site import Builds, Person, RunningSite, eventually
from tests.stories.test_secrets import PUBLISH, USES

LOOKS = """\
#!/bin/sh
echo "tip $(git rev-parse HEAD)"
for file in *.txt ../api/*.txt; do [ -e "$file" ] && echo "$file: $(cat "$file")"; done
python3 -c 'import json, os; v = json.load(open(os.environ["GATEBOT_VARIABLES"])); print("var", v["zuul"]["change"])'
test ! -e broken.txt
"""


class Reader:
    """Somebody at a machine of his own, in an empty directory."""

    def __init__(self, site: RunningSite, place: Path) -> None:
        self.site, self.place = site, place
        self.kept: list[Path] = []

    def __call__(self, *words: object, name: str = "ann", status: int = 0) -> subprocess.CompletedProcess[str]:
        """The command as people run it; it must end with this status."""
        command = [sys.executable, "-P", "-m", "gatebot", "--url", self.site.url, *map(str, words)]
        signed = {"GATEBOT_TOKEN": self.site.tokens[name], "GATEBOT_USER": name} if name else {}
        clean = {key: value for key, value in os.environ.items() if not key.startswith("GATEBOT_")}
        done = subprocess.run(
            command, cwd=self.place, env=clean | signed, capture_output=True, text=True, check=False, timeout=120
        )
        if "--keep" in words and "--json" in words and done.stdout:
            self.kept.append(Path(json.loads(done.stdout)["kept"]))
        assert done.returncode == status, done.stdout + done.stderr
        return done


@pytest.fixture
def reader(site: RunningSite, tmp_path: Path) -> Iterator[Reader]:
    (tmp_path / "desk").mkdir()
    made = Reader(site, tmp_path / "desk")
    yield made
    for path in made.kept:
        rmtree(path.parent, ignore_errors=True)


def propose(ann: Person, project: str, name: str, *, body: str = "", onto: str = "") -> int:
    """A change that adds a text, and lets its job tell what it sees."""
    files = {f"{name}.txt": f"{name}\n", "ci/unit": LOOKS}
    return ann.propose(project, f"Add {name}", files, body=body, onto=onto)


def built(site: RunningSite, change: int) -> str:
    """The first build of a change, once it is over."""

    def found() -> str | None:
        rows = site.do(site.app.db.read(history.find_builds, change=change))
        return next((row.build for row in rows if row.result), None)

    return eventually(found, f"built: {change}")


def test_a_change_runs_here_with_what_it_depends_on_and_nothing_is_queued(
    site: RunningSite, reader: Reader, builds: Builds
) -> None:
    ann = site.person("ann")
    first = propose(ann, "api", "one")
    second = propose(ann, "client", "two", body=f"Depends-On: {site.url}/c/api/+/{first}")
    before = [(one, built(site, one)) for one in (first, second)]
    done = reader("run", "client-unit", "--change", second)
    assert "two.txt: two\n../api/one.txt: one\n" in done.stdout
    assert f"var {second}\n" in done.stdout
    assert done.stdout.endswith("client-unit: SUCCESS\n")
    assert done.stderr == f"client-unit of client, change {second},1, main, as in check, on top of {first},1\n"
    assert [(one, built(site, one)) for one in (first, second)] == before
    assert len(builds.given) == 2
    tip = next(line for line in done.stdout.splitlines() if line.startswith("tip"))
    assert tip in reader("run", "client-unit", "--change", second).stdout  # the same state has the same commits


def test_without_a_job_the_jobs_of_a_change_are_listed(site: RunningSite, reader: Reader) -> None:
    change = propose(site.person("ann"), "api", "one")
    assert reader("run", "--change", change).stdout == "unit\tcheck, gate\n"


def test_a_build_is_run_once_more_with_the_commits_that_it_had(
    site: RunningSite, reader: Reader, builds: Builds
) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    base = site.branch("api")
    first, second = propose(ann, "api", "one", onto=base), propose(ann, "api", "two", onto=base)
    build = built(site, second)
    given = next(one for one in builds.given if one.build == build)
    bob.approve(first)
    builds.finish("gate", first)
    bob.sees_merged(first)
    described = reader("build", "reproduce", build, "--print").stdout
    assert f"unit of api, change {second},1, main, as in check\nbuild: {build}\n" in described
    assert f"\n  api             {given.commit}  main\n  gatebot-config  " in described
    assert described.endswith(f"run it: gatebot --url {site.url} build reproduce {build}\n")
    done = reader("build", "reproduce", f"{site.url}/build/{build}")
    assert f"tip {given.commit}\ntwo.txt: two\n" in done.stdout
    assert "one.txt" not in done.stdout
    assert f"build reproduce {build}" in Visitor(site).get(f"/build/{build}").text
    now = reader("run", "unit", "--change", second)
    assert "one.txt: one\ntwo.txt: two\n" in now.stdout


def test_a_build_that_is_run_once_more_may_ask_its_site_for_what_other_builds_left(
    site: RunningSite, reader: Reader, builds: Builds
) -> None:
    asks = f"#!/bin/sh\nexec curl -fsS --noproxy '' {site.url}/api/info\n"
    ann = site.person("ann")
    change = ann.propose("api", "Ask the site", {"ci/unit": asks})
    done = reader("build", "reproduce", built(site, change))
    assert '"capabilities"' in done.stdout, done.stdout


def test_what_is_kept_is_edited_and_run_again_without_the_site(site: RunningSite, reader: Reader) -> None:
    change = propose(site.person("ann"), "api", "broken")
    failed = reader("run", "unit", "--change", change, "--keep", "--json", status=1)
    answer = json.loads(failed.stdout)
    assert answer["again"] == f"gatebot run --again {answer['kept']}"
    (work,) = Path(answer["kept"]).glob("home/src/*/api")
    (work / "broken.txt").unlink()
    (work / "mended.txt").write_text("mended\n")
    again = reader("run", "--again", answer["kept"], "--keep", "--json")
    told = json.loads(again.stdout)
    assert (told["result"], told["kept"] != answer["kept"]) == ("SUCCESS", True)
    assert "mended.txt: mended\n" in again.stderr
    assert "unit of api again, with edits in api\n" in again.stderr
    once_more = reader("run", "--again", told["kept"])
    assert "unit of api again, as it was\n" in once_more.stderr
    assert reader("run", "--again", reader.place, status=1).stderr.startswith(
        f"gatebot: {reader.place} was not left by --keep: it has no file build.json."
    )


def test_what_is_private_is_fetched_by_nobody_else(site: RunningSite, reader: Reader) -> None:
    ann = site.person("ann")
    work = ann.clone("api", "private")
    work.put("ci/unit", LOOKS)
    work.commit("Add a secret", **{"secret.txt": "sesame\n"})
    assert work.run("push", "origin", "HEAD:refs/for/main%private").returncode == 0
    build = built(site, 1)
    for name in ("bob", ""):
        assert "change 1" in reader("run", "unit", "--change", 1, name=name, status=1).stderr
        assert f"no build {build}" in reader("build", "reproduce", build, name=name, status=1).stderr
        assert fetched(reader, build, site.branch("api"), name).returncode != 0
    commit = work.git("rev-parse", "HEAD")
    assert fetched(reader, build, commit, "ann").returncode == 0
    assert "secret.txt: sesame\n" in reader("run", "unit", "--change", 1).stdout


def test_what_stands_on_a_private_change_is_not_given_to_who_may_not_see_that(
    site: RunningSite, reader: Reader
) -> None:
    ann = site.person("ann")
    work = ann.clone("api", "private")
    work.commit("Add a secret", **{"secret.txt": "sesame\n"})
    assert work.run("push", "origin", "HEAD:refs/for/main%private").returncode == 0
    second = propose(ann, "client", "two", body=f"Depends-On: {site.url}/c/api/+/1")
    build = built(site, second)
    told = "This was tested on top of changes that you may not see."
    for words in (
        ("run", "client-unit", "--change", second),
        ("run", "--change", second),
        ("build", "reproduce", build),
    ):
        assert told in reader(*words, name="bob", status=1).stderr
    assert "../api/secret.txt: sesame\n" in reader("run", "client-unit", "--change", second).stdout


def test_secrets_stay_on_the_site_and_the_job_is_told_which(site: RunningSite, reader: Reader, builds: Builds) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    key = site.do(site.app.gate.keys.public("api", boxes.KIND))
    box = boxes.encrypt(key, "api", b"Sesame-opens-the-mountain")
    files = {".zuul.yaml": USES % f"!encrypted/gatebot-sealed {box}", "ci/publish": PUBLISH}
    change = ann.propose("api", "Publish", files)
    bob.approve(change)
    build = builds.finish("gate", change)
    assert build.secrets  # the executor has them
    eventually(lambda: ann.status(change) == "MERGED")
    answers = [
        Visitor(site).get(f"/api/build/{build.build}/assignment"),
        Visitor(site).get(f"/api/change/{change}/assignment?job=publish"),
    ]
    for answer in answers:
        assert (answer.status, answer.json["lacks"]) == (200, ["deploy"])
        assert box not in answer.text
        assert "Sesame" not in answer.text
        assert answer.json["assignment"]["secrets"] == {}
    done = reader("run", "publish", "--change", change, status=1)
    assert "The job's secrets (deploy) stay on the site: steps that need them will fail here." in done.stderr
    assert "without its secrets: deploy\n" in reader("build", "reproduce", build.build, "--print").stdout


def fetched(reader: Reader, build: str, commit: str, name: str) -> subprocess.CompletedProcess[str]:
    """What git says when somebody fetches a commit of a build."""
    site, own = reader.site, reader.place / "own"
    work = WorkTree.new(own) if not own.exists() else WorkTree(own)
    signed = site.url.replace("://", f"://{name}:{site.tokens[name]}@") if name else site.url
    return work.run("fetch", f"{signed}/api/build/{build}/git/api", commit)


def test_a_build_gives_its_own_commits_and_no_others(site: RunningSite, reader: Reader) -> None:
    ann = site.person("ann")
    first, second = propose(ann, "api", "one"), propose(ann, "api", "two")
    build = built(site, second)
    other = ann.detail(first)["current_revision"]
    refused = fetched(reader, build, other, "ann")
    assert f"not our ref {other}" in refused.stderr
    listed = WorkTree(reader.place / "own").run("ls-remote", f"{site.url}/api/build/{build}/git/api")
    assert (listed.returncode, listed.stdout) == (0, "")
    unknown = Visitor(site, "ann", site.tokens["ann"]).get(
        f"/api/build/{build}/git/client/info/refs?service=git-upload-pack"
    )
    assert (unknown.status, "is no part of build" in unknown.text) == (404, True)
    push = Visitor(site).get(f"/api/build/{build}/git/api/info/refs?service=git-receive-pack")
    assert (push.status, push.text) == (400, "Builds may fetch here, and nothing else.\n")


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("run", "unit", "--change", 99), 1, "There is no change 99"),
        (("run", "units", "--change", 1), 1, "Change 1 runs no job units. It runs: unit."),
        (("run", "unit", "--change", 1, "--pipeline", "nightly"), 1, "There is no pipeline nightly"),
        (
            ("run", "unit", "--change", 1, "--node", "huge"),
            1,
            "no nodes of label huge, but of: small, debian, offline.",
        ),
        (("run", "unit", "--change", 1, "--sandbox", "none"), 1, "This is not only your own code"),
        (("run", "unit", "--change", 1, "--server", "http://127.0.0.1:9"), 3, "http://127.0.0.1:9 does not answer"),
        (("build", "reproduce", "0" * 32), 1, f"There is no build {'0' * 32}"),
        (("build", "reproduce", "abc"), 2, "'abc' is no build"),
    ],
)
def test_what_cannot_be_run_is_told_with_what_to_do(
    site: RunningSite, reader: Reader, words: tuple[object, ...], status: int, told: str
) -> None:
    propose(site.person("ann"), "api", "one")
    done = reader(*words, status=status)
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("body", [b"", b"0000", b"junk", b"zzzzwant", b"0032want " + b"0" * 40 + b"\n0000", b"ffff"])
def test_junk_is_no_fetch(site: RunningSite, body: bytes) -> None:
    propose(site.person("ann"), "api", "one")
    address = f"/api/build/{built(site, 1)}/git/api/git-upload-pack"
    answer = Visitor(site).ask("POST", address, body, Content_Type="application/x-git-upload-pack-request")
    assert answer.status in (200, 400)
    assert "PACK" not in answer.text


def test_a_site_cannot_lead_out_of_the_workspace(site: RunningSite, tmp_path: Path) -> None:
    propose(site.person("ann"), "api", "one")
    told = Visitor(site).get(f"/api/build/{built(site, 1)}/assignment").json
    given = msgspec.convert(told, Handed)
    branch = replace(given.assignment, branch="a/../../b")
    for wrong in (replace(given, host="../.."), replace(given, assignment=branch)):
        with pytest.raises(Invalid, match="unusable-names"):
            fetch(wrong, SiteGit(site.url), tmp_path)
    assert list(tmp_path.glob("git")) == []


def test_a_site_that_goes_away_while_one_fetches_is_told_with_gits_words(site: RunningSite, tmp_path: Path) -> None:
    propose(site.person("ann"), "api", "one")
    given = msgspec.convert(Visitor(site).get(f"/api/build/{built(site, 1)}/assignment").json, Handed)
    with pytest.raises(Unavailable) as refused:
        fetch(given, SiteGit("http://127.0.0.1:9"), tmp_path)
    assert refused.value.reason is not None
    told = say(refused.value.reason)
    assert told.startswith("The repository api cannot be fetched from http://127.0.0.1:9: fatal: unable to access")
    assert told.endswith("Try again; if that does not help, ask the site's administrators.")


def test_a_build_whose_commits_were_removed_says_so(site: RunningSite, reader: Reader) -> None:
    ann = site.person("ann")
    propose(ann, "api", "one", onto=site.branch("api"))
    build = built(site, 1)
    commit = ann.detail(1)["current_revision"]
    store = site.app.repositories.path("api")
    for path in (*store.glob(f"objects/{commit[:2]}/{commit[2:]}"), *store.glob("objects/pack/*")):
        path.unlink()
    gone = reader("build", "reproduce", build, status=1)
    assert f"the commit {commit[:12]} of api was removed from this site" in gone.stderr
