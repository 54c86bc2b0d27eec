# SPDX-License-Identifier: Apache-2.0
"""Who is given which secret: the playbooks of the project that owns it, after review; never by another way."""

from __future__ import annotations

import json

import pytest

from gatebot.assignment import FrozenJob
from gatebot.pipeline.config.freeze import freeze
from gatebot.pipeline.config.model import FrozenGraph
from gatebot.words import say
from tests.fakes.configuration import tenant_layout

OWN = """
- secret: {name: login, data: {user: me, password: !encrypted/gatebot-sealed Ym94}}
"""


def graph(files: dict[str, str], pipeline: str, project: str = "a") -> FrozenGraph:
    return freeze(tenant_layout(files), pipeline, project, "main")


def only(frozen: FrozenGraph) -> FrozenJob:
    assert frozen.errors == ()
    (job,) = frozen.jobs
    return job


def given(job: FrozenJob) -> dict[str, list[str]]:
    """Each playbook with the variables that hold secrets in it."""
    books = (*job.pre_run, *job.run, *job.post_run)
    return {book.path: [ref.name for ref in book.secrets] for book in books}


def told(frozen: FrozenGraph) -> str:
    return " ".join(say(error.reason) for error in frozen.errors)


def test_a_frozen_job_carries_its_secrets_as_they_are_encrypted() -> None:
    use = "- job: {name: x, run: x.yaml, secrets: [{name: auth, secret: login}]}\n- project: {gate: {jobs: [x]}}\n"
    job = only(graph({"a": OWN + use}, "gate"))
    ((ref,),) = [book.secrets for book in job.run]
    assert (ref.name, ref.secret, ref.project) == ("auth", "login", "a")
    assert json.loads(ref.data) == {"user": "me", "password": {"!encrypted/gatebot-sealed": ["Ym94"]}}
    other = only(graph({"a": OWN.replace("Ym94", "b3RoZXI") + use}, "gate"))
    assert other.definition != job.definition, "another secret is another job: its proofs do not hold"


@pytest.mark.zuul(128)
def test_in_an_untrusted_project_a_job_with_a_secret_runs_only_after_review() -> None:
    text = OWN + "- job: {name: x, run: x.yaml, secrets: login}\n- project: {check: {jobs: [x]}, gate: {jobs: [x]}}\n"
    assert "review" in told(graph({"a": text}, "check"))
    assert given(only(graph({"a": text}, "gate"))) == {"x.yaml": ["login"]}


@pytest.mark.zuul(128)
def test_it_runs_for_its_own_project_only_whatever_a_change_says_of_allowed_projects() -> None:
    files = {
        "a": OWN + "- job: {name: x, run: x.yaml, secrets: login, allowed-projects: [a, b]}\n",
        "b": "- project: {gate: {jobs: [x]}}\n",
    }
    assert told(graph(files, "gate", "b")) == (
        "Job x uses a secret of a and so runs for that project alone, not for b; its `allowed-projects` cannot change "
        "that. Let a config project list the job for b, define job and secret in a config project, or give b a job "
        "with a secret of its own."
    )


def test_what_a_job_with_a_secret_is_told_to_do_for_another_project_helps() -> None:
    job = OWN + "- job: {name: x, run: x.yaml, secrets: login}\n"
    listed = "- project: {name: b, gate: {jobs: [x]}}\n"
    assert given(only(graph({"a": job, "b": "", "config": listed}, "gate", "b"))) == {"x.yaml": ["login"]}
    assert given(only(graph({"config": job, "b": "- project: {gate: {jobs: [x]}}\n"}, "gate", "b"))) == {
        "x.yaml": ["login"]
    }


@pytest.mark.zuul(128)
def test_without_a_secret_allowed_projects_says_who_may_run_a_job() -> None:
    job = "- job: {name: x, run: x.yaml, allowed-projects: [a]}\n"
    files = {"a": job + "- project: {check: {jobs: [x]}}\n", "b": "- project: {check: {jobs: [x]}}\n"}
    assert given(only(graph(files, "check"))) == {"x.yaml": []}
    assert "Job x does not allow project b." in told(graph(files, "check", "b"))


def test_a_secret_of_another_project_is_an_error() -> None:
    files = {"a": OWN, "b": "- job: {name: y, run: y.yaml, secrets: login}\n- project: {gate: {jobs: [y]}}\n"}
    assert told(graph(files, "gate", "b")) != ""


def test_a_parents_secret_stays_with_the_parents_playbooks() -> None:
    files = {
        "config": """
        - secret: {name: upload, data: {key: k}}
        - job: {name: publish, pre-run: pre.yaml, run: publish.yaml, post-run: post.yaml, secrets: upload}
        """,
        "a": "- job: {name: x, parent: publish, run: x.yaml}\n- project: {check: {jobs: [x]}}\n",
    }
    assert given(only(graph(files, "check"))) == {"pre.yaml": ["upload"], "x.yaml": [], "post.yaml": ["upload"]}


def test_a_childs_secret_reaches_the_parent_only_where_it_is_passed_on() -> None:
    def files(more: str) -> dict[str, str]:
        return {
            "config": "- job: {name: publish, run: publish.yaml, pre-run: pre.yaml}\n",
            "a": OWN
            + f"- job: {{name: x, parent: publish, pre-run: x.yaml, secrets: [{{name: auth, secret: login{more}}}]}}\n"
            "- project: {gate: {jobs: [x]}}\n",
        }

    assert given(only(graph(files(""), "gate"))) == {"pre.yaml": [], "x.yaml": ["auth"], "publish.yaml": []}
    assert given(only(graph(files(", pass-to-parent: true"), "gate"))) == {
        "pre.yaml": ["auth"],
        "x.yaml": ["auth"],
        "publish.yaml": ["auth"],
    }


def test_a_project_cannot_be_given_a_secret_by_its_stanza() -> None:
    text = OWN + "- job: {name: x, run: x.yaml}\n- project: {gate: {jobs: [{x: {secrets: login}}]}}\n"
    job = only(graph({"a": text}, "gate"))
    assert given(job) == {"x.yaml": []}
    assert job.post_review
