# SPDX-License-Identifier: Apache-2.0
"""Files of ended builds in an S3 store and their end by age, on a real store's protocol: moto's server."""

from __future__ import annotations

import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError

import pytest

from gatebot.errors import SettingsError
from gatebot.executor.files.ageing import Policy
from gatebot.executor.files.keeping import Keeper
from gatebot.executor.files.model import ARTIFACTS, OUTPUT
from gatebot.executor.files.objects import Objects
from gatebot.executor.files.service import BuildFiles
from gatebot.executor.scrub import Scrubber
from tests.fakes.irc import free_port
from tests.fakes.pages import WebHouse
from tests.fakes.pipeline_house import PipelineHouse
from tests.fakes.s3 import serving
from tests.fakes.site import eventually
from tests.shells.test_pages import words

DAY = 86_400.0


@pytest.fixture(scope="module", params=["fake", "moto"])
def s3(request: pytest.FixtureRequest) -> Iterator[str]:
    url = f"http://127.0.0.1:{(port := free_port())}"
    if request.param == "fake":
        with serving(port):
            yield url
        return
    program = shutil.which("moto_server")
    if program is None:
        pytest.skip("moto_server is not on PATH (pip install 'moto[server]' into a venv of its own)")
    server = subprocess.Popen([program, "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: made(url), "a bucket is made")
        yield url
    finally:
        server.kill()
        server.wait()


def made(url: str) -> bool:
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{url}/logs", method="PUT"), timeout=5) as answer:
            return answer.status == 200
    except (URLError, OSError):
        return False


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    file = tmp_path / "credentials"
    file.write_text("[default]\naws_access_key_id = a\naws_secret_access_key = b\n")
    return file


@pytest.fixture
async def build(web: WebHouse, house: PipelineHouse) -> str:
    change = house.push("api", {"a.txt": "one\n"}, "Add a")
    await house.settle()
    build = house.dispatch.of(change.number).build
    log = web.logs.open(build, Scrubber({}))
    log.stream()(b"".join(b"line %d of it\n" % n for n in range(1, 201)))
    file = web.logs.directory(build) / ARTIFACTS / "deep/a.log"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"0123456789\n" * 1000)
    return build


def keeper_of(web: WebHouse, policy: Policy | None = None, held: tuple[str, ...] = ()) -> Keeper:
    async def kept() -> tuple[str, ...]:
        return held

    files = BuildFiles(web.logs, web.builds, policy)
    return Keeper(files, web.builds, kept, policy or Policy(), web.house.clock)


async def test_an_ended_builds_files_are_moved_and_read_as_before(
    web: WebHouse, house: PipelineHouse, build: str, s3: str, credentials: Path
) -> None:
    web.logs.shelf.far = Objects("s3://logs/site", s3, credentials)
    keeper = keeper_of(web)
    web.logs.close(build)
    await keeper.look()
    assert (web.logs.directory(build) / OUTPUT).is_file(), "its row does not say yet that it ended"
    await house.passes(1)
    await keeper.look()
    assert sorted(os.listdir(web.logs.directory(build))) == [".moved.json", ".tests.json"]
    assert web.logs.lines(build, 7, 1)[0].endswith("line 7 of it")
    assert "line 200 of it" in await web.page(f"/build/{build}")
    async with web.client.get(f"/logs/{build}/artifacts/deep/a.log", headers={"Range": "bytes=5-14"}) as part:
        assert (part.status, await part.text()) == (206, "56789\n0123")
        assert part.headers["Content-Range"] == "bytes 5-14/11000"
    async with web.client.get(f"/logs/{build}/artifacts/deep/a.log") as whole:
        assert (whole.status, len(await whole.read())) == (200, 11_000)
    async with web.client.get(f"/logs/{build}/artifacts/deep/a.log", headers={"Range": "bytes=99999-"}) as beyond:
        assert beyond.status == 416
    assert "a.log" in words(await web.page(f"/build/{build}/files/artifacts/deep/a.log?q=4567"))


async def test_a_store_that_is_away_loses_nothing_and_is_told(
    web: WebHouse, house: PipelineHouse, build: str, s3: str, credentials: Path
) -> None:
    web.logs.shelf.far = Objects("s3://logs/site", f"http://127.0.0.1:{free_port()}", credentials)
    keeper = keeper_of(web)
    web.logs.close(build)
    await house.passes(1)
    await keeper.look()
    assert (keeper.waiting, "store-away" in keeper.trouble) == (1, True)
    assert web.logs.lines(build, 7, 1)[0].endswith("line 7 of it")
    web.logs.shelf.far = Objects("s3://logs/site", s3, credentials)
    await keeper.look()
    assert (keeper.waiting, keeper.trouble) == (0, "")


@pytest.mark.parametrize("far", [False, True], ids=["here", "far"])
async def test_files_go_by_age_artifacts_first_and_the_page_says_so(
    web: WebHouse, house: PipelineHouse, build: str, s3: str, credentials: Path, far: bool
) -> None:
    web.logs.shelf.far = Objects(f"s3://logs/aged-{build}", s3, credentials) if far else None
    policy = Policy(passed=10, failed=20, artifacts=5)
    keeper = keeper_of(web, policy)
    web.logs.close(build)
    await house.passes(1)
    await keeper.look()
    page = words(await web.page(f"/build/{build}"))
    assert "Log kept until" in page
    for name in os.listdir(web.logs.directory(build)):
        now = house.clock.now().timestamp()
        os.utime(web.logs.directory(build) / name, (now, now))
    house.clock.advance(6 * DAY)
    assert await keeper.sweep() == (0, 1)
    assert await keeper.sweep() == (0, 0)
    assert web.logs.artifacts(build) == ()
    aged = "The artifacts of this build are not kept any more: they were taken away on"
    assert aged in words(await web.page(f"/build/{build}"))
    async with web.client.get(f"/logs/{build}/artifacts/deep/a.log") as gone:
        assert (gone.status, aged in await gone.text()) == (410, True)
    assert web.logs.lines(build, 7, 1)[0].endswith("line 7 of it")
    house.clock.advance(6 * DAY)
    assert await keeper_of(web, policy, held=(build,)).sweep() == (0, 0)
    assert await keeper.sweep() == (1, 0)
    page = words(await web.page(f"/build/{build}"))
    assert "What this build left is not kept any more: it was taken away on" in page
    assert "10 days after its end" in page
    assert [part for part in ("Artifacts", "Tested with", "Find in this text") if part in page] == []
    for place in ("files/job-output.txt", "tests", "requests"):
        said = words(await web.page(f"/build/{build}/{place}", status=410))
        assert "To have it again, run the build again: recheck." in said
    for place in (
        f"api/build/{build}/tests",
        f"api/build/{build}/log",
        f"api/build/{build}/log/lines",
        f"logs/{build}/",
    ):
        async with web.client.get(f"/{place}") as answer:
            assert answer.status == 410


@pytest.mark.parametrize("url", ["http://x/y", "s3:///x", "logs"])
def test_an_address_that_is_no_bucket_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="is no s3://BUCKET"):
        Objects(url)


def test_credentials_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    (tmp_path / "c").write_text("nothing")
    with pytest.raises(SettingsError, match=r"logs\.store_credentials: .*/c cannot be used"):
        Objects("s3://logs", credentials=tmp_path / "c")
