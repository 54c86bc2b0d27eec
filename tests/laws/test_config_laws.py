# SPDX-License-Identifier: Apache-2.0
"""Whatever stands in a configuration file, it is read or refused with a line; and freezing fails closed."""

from __future__ import annotations

import yaml
from hypothesis import given
from hypothesis import strategies as st

from gatebot.pipeline.config.check import check, told
from gatebot.pipeline.config.freeze import freeze
from gatebot.pipeline.config.model import Location
from gatebot.pipeline.config.parse import TABLES, parse_file
from gatebot.pipeline.config.parse_tenants import parse_tenant_file, parse_tenants
from gatebot.pipeline.config.schema import Table
from gatebot.pipeline.config.tables_tenants import OBJECTS
from gatebot.pipeline.config.yamltext import Tagged, Unreadable, YamlList, YamlMap, read
from gatebot.words import say
from tests.fakes.configuration import tenant_layout

AT = Location("a", "main", "zuul.yaml")
WORDS = st.sampled_from(
    ["", "x", "yes", "~", "^a(", "012", "- a", "a: b", "{{ x }}", "!override", "*a", "&a", "noop", "한국어"]
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 90000), st.floats(allow_nan=False, allow_infinity=False), WORDS
)


def attributes(table: Table) -> st.SearchStrategy[object]:
    names = st.one_of(st.sampled_from(sorted(table.fields)), WORDS)
    return st.dictionaries(names, VALUES, max_size=6)


VALUES: st.SearchStrategy[object] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["name", "nodes", "jobs", "regex", "gerrit", "event", "x", "label"]), inner, max_size=3
        ),
    ),
    max_leaves=8,
)
STANZAS = st.one_of(
    *(attributes(table).map(lambda value, kind=kind: {kind: value}) for kind, table in TABLES.items()), VALUES
)
MARKS = ["!override ", "!inherit ", "!encrypted/pkcs1-oaep ", "&a ", "*a ", "<<: ", "\t", "---\n", "\x00", "'", "- "]


@given(st.lists(STANZAS, max_size=4), st.booleans())
def test_any_yaml_is_read_and_every_error_has_a_line_and_a_sentence(stanzas: list[object], trusted: bool) -> None:
    text = yaml.safe_dump(stanzas, allow_unicode=True).encode()
    lines = text.count(b"\n")
    for error in check({"zuul.yaml": text}, trusted=trusted, project="a"):
        assert 1 <= error.at.line <= lines
        assert not say(error.reason).startswith("config.")
        assert "%(" not in say(error.reason)
        assert error.snippet


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    made = parse_file(data, AT)
    assert all(error.at.line >= 1 for error in made.errors)
    assert told(made.errors, say) or not made.errors
    parse_tenants(data, "tenant.yaml")


@given(st.lists(STANZAS, max_size=2), st.lists(st.tuples(st.integers(0, 400), st.sampled_from(MARKS)), max_size=3))
def test_marks_in_odd_places_are_read_or_refused(stanzas: list[object], marks: list[tuple[int, str]]) -> None:
    text = yaml.safe_dump(stanzas)
    for at, mark in marks:
        text = text[: at % (len(text) + 1)] + mark + text[at % (len(text) + 1) :]
    made = parse_file(text.encode(), AT)
    assert all(error.at.line >= 1 for error in made.errors)


def bare(value: object) -> object:
    match value:
        case Tagged():
            return bare(value.value)
        case YamlMap():
            return {key: bare(item) for key, item in value.items()}
        case YamlList():
            return [bare(item) for item in value]
        case _:
            return value


@given(VALUES)
def test_what_pyyaml_writes_is_what_is_read(value: object) -> None:
    text = yaml.safe_dump(value, allow_unicode=True).encode()
    try:
        found, problems = read(text)
    except Unreadable as refused:
        raise AssertionError(refused.problem) from None
    assert problems == ()
    assert bare(found) == value


@given(st.lists(STANZAS, max_size=3), st.sampled_from(["a", "b", "config"]))
def test_an_item_that_passes_runs_every_job_that_its_project_lists_or_says_why_not(
    stanzas: list[object], where: str
) -> None:
    extra = yaml.safe_dump(stanzas, allow_unicode=True) if stanzas else ""
    jobs = "- job: {name: one, run: r}\n- job: {name: two, parent: lib, run: r}\n"
    files = {"a": jobs + "- project: {check: {jobs: [one, two]}}\n", "b": "- job: {name: lib}\n", "config": ""}
    layout = tenant_layout({**files, where: files[where] + extra})
    graph = freeze(layout, "check", "a", "main", files=["src"])
    told_of = {job.name for job in graph.jobs} | {one.job for one in graph.skipped}
    assert graph.errors or {"one", "two"} <= told_of


TENANT_OBJECTS = st.one_of(
    *(attributes(table).map(lambda value, kind=kind: {kind: value}) for kind, table in OBJECTS.items()), VALUES
)


@given(st.lists(TENANT_OBJECTS, max_size=4))
def test_any_tenant_file_is_read_and_every_error_has_a_line_and_a_sentence(objects: list[object]) -> None:
    text = yaml.safe_dump(objects, allow_unicode=True).encode()
    made = parse_tenant_file(text, "tenant.yaml")
    for error in made.errors:
        assert 1 <= error.at.line <= text.count(b"\n")
        assert not say(error.reason).startswith("config.")
        assert "%(" not in say(error.reason)
    assert all(rule.name for tenant in made.tenants for rule in tenant.access.admin_rules)


USES = st.lists(st.tuples(st.sampled_from("st"), st.booleans()), max_size=2, unique_by=lambda use: use[0])
BOOKS = st.lists(st.sampled_from(["pre-run", "run", "post-run", "cleanup-run"]), max_size=3, unique=True)
CHAIN = st.lists(st.tuples(st.sampled_from(["config", "a", "b"]), USES, BOOKS), min_size=1, max_size=4)


def job_text(number: int, uses: list[tuple[str, bool]], books: list[str]) -> str:
    parent = f"j{number - 1}" if number else "base"
    secrets = [{"name": f"{name}{number}", "secret": name, "pass-to-parent": passed} for name, passed in uses]
    said: dict[str, object] = {"name": f"j{number}", "parent": parent, "secrets": secrets}
    return yaml.safe_dump([{"job": {**said, **{book: f"{book}-{number}" for book in books}}}])


@given(CHAIN)
def test_a_secret_reaches_strangers_only_after_review_and_only_when_it_is_passed_to_them(
    chain: list[tuple[str, list[tuple[str, bool]], list[str]]],
) -> None:
    files = dict.fromkeys(("config", "a", "b"), "")
    for number, (project, uses, books) in enumerate(chain):
        files[project] += job_text(number, [(f"{project}_{name}", passed) for name, passed in uses], books)
    for project in files:
        files[project] += "".join(f"- secret: {{name: {project}_{name}, data: {{k: v}}}}\n" for name in "st")
    files["config"] += f"- project: {{name: a, gate: {{jobs: [j{len(chain) - 1}]}}}}\n"
    layout = tenant_layout(files)
    assert layout.errors == ()
    (job,) = freeze(layout, "gate", "a", "main").jobs
    passed_on = {f"{project}_{name}" for project, uses, _ in chain for name, passed in uses if passed}
    for book in (*job.pre_run, *job.run, *job.post_run, *job.cleanup_run):
        for ref in book.secrets:
            assert ref.project == book.project or ref.secret in passed_on
            assert job.post_review or book.trusted
        assert len({ref.name for ref in book.secrets}) == len(book.secrets)


WORDS_OF = st.lists(st.sampled_from("abc"), max_size=3)
TAGS = st.sampled_from(["", "!override ", "!inherit "])


@given(st.lists(st.tuples(TAGS, WORDS_OF), min_size=1, max_size=4))
def test_what_is_merged_is_all_that_was_said_since_the_last_override(said: list[tuple[str, list[str]]]) -> None:
    jobs = "".join(
        f"- job: {{name: j{n}, parent: {f'j{n - 1}' if n else 'base'}, provides: {tag}[{', '.join(words)}],"
        f" files: {tag}[{', '.join(words)}]}}\n"
        for n, (tag, words) in enumerate(said)
    )
    layout = tenant_layout({"a": jobs + f"- project: {{check: {{jobs: [j{len(said) - 1}]}}}}\n"})
    graph = freeze(layout, "check", "a", "main", files=["c"])
    since = max((n for n, (tag, _) in enumerate(said) if tag.startswith("!override")), default=0)
    provided = {word for _, words in said[since:] for word in words}
    last = max((n for n, (tag, _) in enumerate(said) if tag != "!inherit "), default=0)
    files = {word for _, words in said[last:] for word in words}
    assert [job.name for job in graph.jobs] == ([f"j{len(said) - 1}"] if not files or "c" in files else [])
    for job in freeze(layout, "check", "a", "main").jobs:
        assert set(job.provides) == provided
