# SPDX-License-Identifier: Apache-2.0
"""A release: somebody pushes a tag, and its jobs run on what it names."""

from __future__ import annotations

from typing import Any

from tests.fakes.site import ZUUL, RunningSite, eventually

RELEASE = """\
    release: {jobs: [publish]}
- job: {name: publish, run: ci/publish.yaml}
"""
PUBLISH = """\
- hosts: localhost
  gather_facts: false
  tasks:
    - command: git describe --tags
      args: {chdir: "{{ lookup('env', 'WORKSPACE') }}/{{ zuul.project.name }}"}
      register: described
    - debug:
        msg: "publish {{ zuul.tag }} as {{ described.stdout }}, from {{ zuul.oldrev | default('nothing') }}"
    - debug: {msg: "tag {{ zuul.newrev }} on {{ zuul.branch | default('no branch') }}"}
"""


def test_pushing_a_tag_releases_what_it_names(working_site: RunningSite) -> None:
    site = working_site
    ann, admin = site.person("ann"), site.person("admin")
    change = ann.propose("api", "Publish releases", {".zuul.yaml": ZUUL + RELEASE, "ci/publish.yaml": PUBLISH})
    site.person("bob").approve(change)
    ann.sees_merged(change)
    work = admin.clone("api")
    work.git("tag", "-a", "-m", "The first", "1.0")
    pushed = work.run("push", "origin", "refs/tags/1.0")
    assert pushed.returncode == 0, pushed.stderr
    build: Any = eventually(
        lambda: next((one for one in ann.rest.get("/api/builds", pipeline="release") if one["result"]), None),
        "the release was built",
    )
    log = "".join(ann.rest.text_lines(f"/logs/{build['uuid']}/job-output.txt"))
    assert build["result"] == "SUCCESS", log
    assert (build["job_name"], build["branch"]) == ("publish", "refs/tags/1.0")
    assert "publish 1.0 as 1.0, from nothing" in log
    assert f"tag {work.git('rev-parse', 'refs/tags/1.0')} on no branch" in log
