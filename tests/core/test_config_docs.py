# SPDX-License-Identifier: Apache-2.0
"""docs/config.md says exactly what the tables say. To renew it: `python -m tests.core.test_config_docs`."""

from __future__ import annotations

import re
from pathlib import Path

from gatebot import settings
from gatebot.pipeline.config import tables, tables_connections, tables_jobs
from gatebot.pipeline.config.parse import TABLES
from gatebot.pipeline.config.schema import Field, Kind, Many, Table, Vars
from gatebot.pipeline.config.tables_tenants import OBJECTS, PROJECT_OPTIONS, TENANT

PAGE = Path(__file__).parent.parent.parent / "docs" / "config.md"


def row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def attribute(name: str, field: Field) -> str:
    marks = ["*required*"] if field.required else []
    marks += ["*ours*"] if field.ours else []
    if field.only is not None:
        shown = ", ".join(f"`{str(value).lower() if isinstance(value, bool) else value}`" for value in field.only)
        marks.append(f"*not acted on{f' (but {shown})' if shown else ''}*")
    merges = " (merges)" if (isinstance(field.kind, Many) and field.kind.merges) or isinstance(field.kind, Vars) else ""
    return row(f"`{name}`", field.kind.words + merges, field.default, " ".join([field.doc, *marks]).strip())


def attributes(title: str, table: Table) -> list[str]:
    lines = [f"### {title}", "", row("Attribute", "Type", "Default", "What it does"), row("---", "---", "---", "---")]
    return [*lines, *(attribute(name, field) for name, field in table.fields.items()), ""]


def language() -> str:
    inner: list[tuple[str, Kind]] = [
        ("a pipeline of a project", tables.PROJECT_PIPELINE),
        ("`trigger: {gatebot: [...]}`, also under the name `gerrit`", tables_connections.GERRIT_TRIGGER),
        ("`trigger: {timer: [...]}`", tables_connections.TIMER),
        ("`trigger: {zuul: [...]}`", tables_connections.ZUUL_TRIGGER),
        ("`require` and `reject`", tables_connections.CHANGE_FILTER),
        ("reporters; any other key is a label with its vote", tables_connections.GERRIT_REPORTER),
        ("reporters of `zuul`", tables_connections.ZUUL_REPORTER),
        ("a parameter of a pipeline of a project", tables.PARAMETER),
        ("an architecture of `arch-policy` of a job", tables_jobs.ARCH_POLICY),
        ("tenant, in a tenant file", TENANT),
        ("a project of a tenant; a group `{projects: [...]}` takes the first three", PROJECT_OPTIONS),
        *((f"{kind}, in a tenant file", table) for kind, table in OBJECTS.items() if table is not TENANT),
    ]
    found = [line for kind, table in TABLES.items() for line in attributes(kind, table)]
    found += [line for title, table in inner if isinstance(table, Table) for line in attributes(title, table)]
    return "\n".join(found)


def all_settings() -> str:
    lines: list[str] = []
    section = ""
    for item in settings.described():
        if item.section != section:
            section = item.section
            own, _, kind = section.partition(".")
            title = f'[{own}.NAME] with kind = "{kind}"' if kind else f"[{section}]"
            lines += ["", f"### {title}", "", row("Key", "Default", "What it is for"), row("---", "---", "---")]
        choices = f" One of {', '.join(f'`{choice}`' for choice in item.choices)}." if item.choices else ""
        unit = f" ({item.unit})" if item.unit else ""
        lines.append(row(f"`{item.key}`", f"`{item.default_text}`", f"{item.about}{choices}{unit}"))
    return "\n".join([*lines, ""])


def made(page: str) -> str:
    for name, text in (("settings", all_settings()), ("language", language())):
        page = re.sub(
            rf"(<!-- {name}: .*? -->\n).*?(<!-- end -->)", lambda m, t=text: f"{m[1]}{t}\n{m[2]}", page, flags=re.DOTALL
        )
    return page


def test_the_reference_says_what_the_tables_say() -> None:
    page = PAGE.read_text()
    assert page == made(page)


def test_every_attribute_has_words() -> None:
    silent = [
        f"{kind}.{name}"
        for kind, table in [*TABLES.items(), ("tenant", TENANT)]
        for name, field in table.fields.items()
        if not field.doc
    ]
    assert silent == []


if __name__ == "__main__":
    PAGE.write_text(made(PAGE.read_text()))
