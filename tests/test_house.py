# SPDX-License-Identifier: Apache-2.0
"""The house rules, checked on the source: floors, rooms, circles, sizes, names, openings.

A new module needs no entry here while it fits the plan. What does not is declared in the tables below: a new file
of the hall in `HALL`, a room's module that does IO in `ADAPTERS`, a second store in `STORES`.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("review", "pipeline", "executor", "meetbot")

# Files and packages of the hall, by the floor each is on.
HALL = {
    "__init__": 0,
    "architectures": 0,
    "assignment": 0,
    "change": 0,
    "clock": 0,
    "durations": 0,
    "errors": 0,
    "asked": 0,
    "queries": 1,
    "said": 0,
    "events": 0,
    "fact": 0,
    "expressions": 0,
    "merging": 0,
    "particles": 0,
    "reasons": 0,
    "access": 1,
    "access_rules": 0,
    "audience": 1,
    "depends": 1,
    "lacking": 1,
    "settings": 1,
    "settings_checks": 1,
    "settings_fields": 1,
    "settings_file": 1,
    "settings_named": 1,
    "settings_irc": 1,
    "settings_outside": 1,
    "settings_providers": 1,
    "settings_reading": 1,
    "settings_sisters": 1,
    "settings_words": 0,
    "turns": 0,
    "targets": 1,
    "banners": 0,
    "assets": 2,
    "db": 2,
    "db_engines": 2,
    "identity": 2,
    "journal": 2,
    "keys": 2,
    "lanes": 2,
    "migrations": 2,
    "repo": 2,
    "words": 2,
    "confirming": 3,
    "git_door": 3,
    "mentions": 3,
    "oidc": 3,
    "notify": 3,
    "addresses_pages": 4,
    "asking": 4,
    "front": 4,
    "hearing": 4,
    "joining": 4,
    "live": 4,
    "proxies": 4,
    "site": 4,
    "app": 5,
    "cli": 6,
    "__main__": 6,
}
# The plan that every room and sub-room repeats; any other name is a decider: floor 1, pure.
PLAN = {"__init__": 0, "model": 0, "ports": 0, "store": 2, "service": 3, "driver": 3, "pages": 4, "rest": 4}
DECIDER = 1
# Further modules of a room that keep rows (floor 2), as `module`, `subroom.module` or `subroom.*`.
STORES: dict[str, set[str]] = {
    "review": {
        "config.lineage",
        "conversation",
        "facts",
        "mail.scene",
        "hosting",
        "importing.people",
        "importing.rows",
        "intents",
        "judging",
        "neighbours",
        "landing_rows",
        "search",
        "publishing",
        "reviewer_updates",
        "search_files",
        "search_people",
        "search_texts",
        "tables",
        "push_past_rows",
        "push_people",
        "push_rows",
        "together",
    },
    "pipeline": {"autohold", "history", "keeping", "secret_data"},
    "executor": set(),
    "meetbot": {
        "archive",
        "channels",
        "importing.meetings",
        "search.index",
        "search.matching",
        "search.minutes",
        "sisters.links",
    },
}
# Modules of a room that touch the world: files, processes, sockets, the clock (floor 3); written likewise.
ADAPTERS: dict[str, set[str]] = {
    "review": {
        "colliding",
        "hosted.rest_access",
        "operating.banning",
        "operating.caches",
        "operating.collecting",
        "operating.rest_server",
        "operating.tasks",
        "importing.asking",
        "importing.repositories",
        "hosted.rest_commits",
        "hosted.rest_config",
        "inviting",
        "deleting",
        "kinds",
        "making",
        "edits.adding",
        "edits.creating",
        "edits.keeping",
        "edits.mixing",
        "moving",
        "picking",
        "rebasing",
        "reverting",
        "workbench",
        "rest_actions",
        "answers",
        "branching",
        "contents",
        "gate_side",
        "landing",
        "projects",
        "reading",
        "rest_changes",
        "rest_revisions",
        "rest_openapi",
        "rest_site",
        "rest_standing",
        "revisions",
        "diffs.colours",
        "fixes.previewing",
        "for_pages",
        "diffs.painting",
        "diffs.suggesting",
        "edits.begun",
        "edits.rest_creating",
        "edits.rest_fixes",
        "people.rest_emails",
        "people.rest_own",
        "people.rest_said",
        "people.whose",
        "rest_reviewers",
        "room",
        "sentences",
        "shaper",
        "standing",
        "shown",
        "shown_files",
        "states",
        "submitting",
        "git_hidden",
        "indexing",
        "replication.pushing",
        "webhooks.posting",
        "deliveries.posting",
        "mail.passes",
        "mail.sending",
        "mail.smtp",
        "mail.wishes",
        "git_http",
        "git_process",
        "ssh.arranging",
        "ssh.commands",
        "ssh.events_log",
        "ssh.git",
        "ssh.grouping",
        "ssh.hook_files",
        "ssh.host_keys",
        "ssh.listing",
        "ssh.making",
        "ssh.naming",
        "ssh.querying",
        "ssh.reviewing",
        "ssh.server",
        "ssh.sessions",
        "ssh.streaming",
        "ssh.telling",
        "hook_pipe",
        "push",
        "push_facts",
        "push_says",
        "push_config",
        "config.book",
        "config.founding",
        "groups.rest_members",
        "groups.shapes",
    },
    "pipeline": {
        "artifact_passes",
        "gerrit.client",
        "gerrit.known",
        "gerrit.landing",
        "gerrit.mirror",
        "gerrit.ssh",
        "sources",
        "config.directories",
        "config.loader",
        "config.offline",
        "assigning",
        "effects",
        "remarked",
        "admission",
        "ages",
        "batch",
        "entering",
        "intake",
        "neighbours",
        "reproducing.unqueued",
        "requests",
        "staying",
        "holds",
        "layouts",
        "merger",
        "rechecking",
        "results",
        "timer",
        "vault",
        "waiting",
    },
    "executor": {
        "artifacts",
        "assembly",
        "egress",
        "equipping",
        "fetching",
        "files.keeping",
        "files.lines",
        "files.objects",
        "files.outcomes",
        "files.requests",
        "files.resources",
        "files.shelf",
        "files.writing",
        "files.view",
        "fleet.doors",
        "fleet.fleet",
        "fleet.git_door",
        "fleet.nats_access",
        "fleet.nats_child",
        "fleet.nats_post",
        "fleet.parting",
        "fleet.passes",
        "fleet.received",
        "fleet.visits",
        "holding",
        "host_mirrors",
        "image_script",
        "images",
        "imaging",
        "ledger",
        "logs",
        "nodes.terminal",
        "machines.building",
        "machines.images",
        "machines.planning",
        "machines.running",
        "machines.saving",
        "providing",
        "remote.agent",
        "remote.line",
        "remote.reports",
        "remote.server",
        "remote.uplink",
        "runner",
        "solo",
        "staying",
        "supply",
        "switchboard",
        "telling",
        "tools",
        "trying",
        "unpacked",
        "waiting",
        "workspace",
        "workspaces",
        "clouds.asking",
        "clouds.entering",
        "clouds.holding",
        "clouds.looking",
        "clouds.starting",
        "providers.answering",
        "providers.bare",
        "providers.cluster",
        "providers.cgroups",
        "providers.emulation",
        "providers.container",
        "providers.grounds",
        "providers.switch",
        "providers.inside",
        "providers.kernel",
        "providers.link",
        "providers.local",
        "providers.host_places",
        "providers.kubernetes",
        "providers.openstack",
        "providers.pairs",
        "providers.making",
        "providers.owning",
        "providers.nesting",
        "providers.pipe",
        "providers.privileged",
        "providers.processes",
        "providers.qemu",
        "providers.rootless",
        "providers.seccomp",
        "providers.shells",
        "providers.ssh",
        "providers.static",
        "providers.sweeping",
        "providers.trees",
        "providers.user",
    },
    "meetbot": {
        "sisters.answering",
        "schedule.tip",
        "irc.client",
        "irc.stream",
        "irc.server",
        "irc.server_client",
        "irc.server_commands",
    },
}
MAY_IMPORT_ROOMS = ("app", "cli", "__main__")
PURE_LIBRARIES = {"re2", "yaml"}
# What pure code may not import although it is in the standard library: IO, the clock, randomness, logging.
# fmt: off
IMPURE = {
    "asyncio", "atexit", "concurrent", "ctypes", "dbm", "fcntl", "getpass", "gettext", "glob", "grp", "http.client",
    "http.server", "importlib", "locale", "logging", "mmap", "multiprocessing", "os", "pickle", "platform", "pwd",
    "queue", "random", "sched", "secrets", "select", "selectors", "shelve", "shutil", "signal", "smtplib", "socket",
    "socketserver", "sqlite3", "ssl", "subprocess", "sys", "tempfile", "threading", "time", "urllib.request", "uuid",
}
# fmt: on
IMPURE_CALLS = {"open", "print", "input", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
CLOCK = "gatebot.clock"  # the one pure-floor module that holds the real clock, beside its port

FILE_LINES, TEST_LINES, FUNCTION_LINES, PUBLIC_METHODS = 400, 800, 60, 12
FORBIDDEN_NAMES = re.compile(r"(^|_)(utils?|managers?|helpers?)(_|$)")
FORBIDDEN_CLASSES = re.compile(r".(Utils?|Managers?|Helpers?)$")  # `Manager` alone is Zuul's word


@dataclass(frozen=True)
class Module:
    """One file of the package, parsed."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def parts(self) -> tuple[str, ...]:
        """The dotted name below `gatebot`; a package answers to its `__init__`."""
        below = self.path.relative_to(ROOT / "gatebot").with_suffix("").parts
        return below

    @property
    def room(self) -> str | None:
        """The room it lives in; None: the hall."""
        return self.parts[0] if self.parts[0] in ROOMS else None

    @property
    def exempt(self) -> bool:
        """Migrations are history: they are written once and keep their size."""
        return self.parts[:2] == ("migrations", "versions")


@cache
def parsed(path: Path) -> ast.Module:
    """A Python file's syntax tree."""
    return ast.parse(path.read_text("utf-8"), str(path))


@cache
def modules() -> dict[str, Module]:
    """Every module of the package, by its dotted name."""
    found: dict[str, Module] = {}
    for path in sorted((ROOT / "gatebot").rglob("*.py")):
        below = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(below[:-1] if below[-1] == "__init__" else below)
        found[name] = Module(name, path, parsed(path))
    return found


def floor(module: Module) -> int:
    """The floor a module is on, by the table of the hall or the plan of the rooms."""
    parts = module.parts
    if module.room is None:
        return HALL.get(parts[0], HALL["site"])
    inside = ".".join(parts[1:])
    for level, table in ((2, STORES), (3, ADAPTERS)):
        declared = table[module.room]
        if inside in declared or f"{'.'.join(parts[1:-1])}.*" in declared:
            return level
    return PLAN.get(parts[-1], DECIDER)


def imports(module: Module) -> Iterator[tuple[str, int]]:
    """Each thing a module imports, wherever in the file, as an absolute dotted name, with its line."""
    package = module.name if module.parts[-1] == "__init__" else module.name.rpartition(".")[0]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((f"{base}.{alias.name}", node.lineno) for alias in node.names)


def own_imports(module: Module) -> Iterator[tuple[Module, int]]:
    """The modules of the package that a module imports."""
    for name, line in imports(module):
        target = modules().get(name) or modules().get(name.rpartition(".")[0])
        if target is not None and target is not module:
            yield target, line


def at(module: Module, line: int = 1) -> str:
    """Where something is, as an editor opens it."""
    return f"{module.path.relative_to(ROOT)}:{line}"


def python_files(*folders: str) -> list[Path]:
    """The Python files below some folders of the repository."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@cache
def tracked_texts() -> dict[Path, str]:
    """Every text file that git tracks; in an unpacked archive, every text file."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    asked = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    names = [ROOT / name for name in asked.stdout.decode().split("\0") if name]
    texts: dict[Path, str] = {}
    for path in names or [path for path in ROOT.rglob("*") if ".venv" not in path.parts]:
        content = path.read_bytes() if path.is_file() else b"\0"
        if b"\0" not in content:
            texts[path] = content.decode("utf-8", "replace")
    return texts


def refuse(findings: list[str], what_to_do: str) -> None:
    """Fail with every finding at once and one sentence on what to do."""
    if findings:
        pytest.fail("\n".join([what_to_do, *dict.fromkeys(findings)]), pytrace=False)


def test_every_file_of_the_hall_has_a_floor() -> None:
    unknown = [at(m) for m in modules().values() if m.room is None and m.parts[0] not in HALL]
    refuse(unknown, "Move these into a room, or give each a floor in HALL of tests/test_house.py:")


def test_the_tables_name_only_modules_that_exist() -> None:
    stale = []
    for room, inside in ((r, i) for table in (STORES, ADAPTERS) for r, names in table.items() for i in names):
        name = f"gatebot.{room}.{inside.removesuffix('.*')}"
        if name not in modules():
            stale.append(name)
    refuse(stale, "Remove these from STORES or ADAPTERS of tests/test_house.py: no such module:")


def test_imports_go_down_or_stay_on_the_floor() -> None:
    wrong = [
        f"{at(m, line)}: floor {floor(m)} imports {target.name} on floor {floor(target)}"
        for m in modules().values()
        for target, line in own_imports(m)
        if floor(target) > floor(m)
    ]
    refuse(
        wrong,
        "Imports go down. Take the thing as an argument or through a Protocol in ports.py; or, if the importing module "
        "does IO, list it in ADAPTERS (or STORES) of tests/test_house.py:",
    )


def test_rooms_never_import_each_other() -> None:
    wrong = [
        f"{at(m, line)}: {m.room} imports {target.name}"
        for m in modules().values()
        for target, line in own_imports(m)
        if m.room is not None and target.room not in (None, m.room)
    ]
    refuse(wrong, "Rooms meet through events, ids, and a Protocol in the consumer's ports.py, plugged in app.py:")


def test_the_hall_never_imports_a_room() -> None:
    wrong = [
        f"{at(m, line)}: imports {target.name}"
        for m in modules().values()
        for target, line in own_imports(m)
        if m.room is None and m.parts[0] not in MAY_IMPORT_ROOMS and target.room is not None
    ]
    refuse(wrong, "Only app.py and cli/ know the rooms; give the hall what it needs when app.py plugs it together:")


def test_no_imports_go_in_a_circle() -> None:
    graph = {name: sorted({target.name for target, _ in own_imports(m)}) for name, m in modules().items()}
    done: set[str] = set()

    def circle(name: str, trail: tuple[str, ...]) -> tuple[str, ...]:
        if name in trail:
            return (*trail[trail.index(name) :], name)
        if name in done:
            return ()
        found = next((c for target in graph[name] if (c := circle(target, (*trail, name)))), ())
        done.add(name)
        return found

    circles = [" -> ".join(found) for name in graph if (found := circle(name, ()))]
    refuse(circles, "Move what both sides need into a module of its own below them:")


def test_pure_floors_import_only_pure_things() -> None:
    wrong = []
    for module in (m for m in modules().values() if floor(m) <= DECIDER and m.name != CLOCK):
        for name, line in imports(module):
            top = name.partition(".")[0]
            prefixes = {name.rsplit(".", n)[0] for n in range(name.count(".") + 1)}
            known = top == "gatebot" or top in PURE_LIBRARIES or top in sys.stdlib_module_names
            if not known or prefixes & IMPURE or name == "pathlib.Path":
                wrong.append(f"{at(module, line)}: {name}")
    refuse(
        wrong,
        "Floors 0 and 1 do no IO, ask no clock and throw no dice: take values as arguments. If the module is an "
        "adapter, list it in ADAPTERS of tests/test_house.py:",
    )


def test_pure_floors_call_nothing_that_reads_the_world() -> None:
    wrong = [
        f"{at(module, node.lineno)}: {ast.unparse(node.func)}()"
        for module in modules().values()
        if floor(module) <= DECIDER and module.name != CLOCK
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in IMPURE_CALLS
    ]
    refuse(wrong, "Floors 0 and 1 read nothing and ask no clock: take the value as an argument:")


def test_files_stay_small() -> None:
    limits = dict.fromkeys(python_files("gatebot", "tools", "bench"), FILE_LINES)
    limits |= dict.fromkeys(python_files("tests"), TEST_LINES)
    exempt = {m.path for m in modules().values() if m.exempt}
    wrong = []
    for path, limit in limits.items():
        lines = len(path.read_text("utf-8").splitlines())
        if lines > limit and path not in exempt:
            wrong.append(f"{path.relative_to(ROOT)}: {lines} lines, the limit is {limit}")
    refuse(wrong, "Split these by subject, into a sub-room where that reads well:")


def test_functions_stay_small() -> None:
    exempt = {m.path for m in modules().values() if m.exempt}
    wrong = []
    for path in python_files("gatebot", "tests", "tools", "bench"):
        for node in ast.walk(parsed(path)):
            if path in exempt or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: {node.name} has {lines} lines")
    refuse(wrong, f"A function says one thing in at most {FUNCTION_LINES} lines (aim at 40); take parts out of these:")


def test_classes_stay_small() -> None:
    wrong = []
    for path in python_files("gatebot", "tests", "tools", "bench"):
        for node in ast.walk(parsed(path)):
            if not isinstance(node, ast.ClassDef):
                continue
            methods = (item.name for item in node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef))
            public = [name for name in methods if not name.startswith(("_", "test_"))]
            if len(public) > PUBLIC_METHODS:
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: {node.name} has {len(public)} public methods")
    refuse(wrong, f"A class has at most {PUBLIC_METHODS} public methods; split these by subject:")


def test_names_say_what_a_thing_is() -> None:
    wrong = []
    for path in python_files("gatebot", "tests", "tools", "bench"):
        below = path.relative_to(ROOT)
        if any(FORBIDDEN_NAMES.search(part) for part in below.with_suffix("").parts):
            wrong.append(str(below))
        wrong += [
            f"{below}:{node.lineno}: {node.name}"
            for node in ast.walk(parsed(path))
            if isinstance(node, ast.ClassDef) and FORBIDDEN_CLASSES.search(node.name)
        ]
    refuse(wrong, "utils, manager and helpers name nothing; say what these hold or do:")


def test_every_file_opens_with_its_licence_and_its_purpose() -> None:
    wrong = []
    for path in python_files("gatebot", "tests", "tools", "bench"):
        text = path.read_text("utf-8")
        opening = text.splitlines()[:3]
        docstring = ast.get_docstring(parsed(path)) or ""
        brief = path.name in ("__init__.py", "__main__.py", "conftest.py") or path.parts[len(ROOT.parts)] != "gatebot"
        brief = brief or "migrations" in path.parts
        if "# SPDX-License-Identifier: Apache-2.0" not in opening:
            wrong.append(f"{path.relative_to(ROOT)}: no SPDX line")
        if not docstring or (not brief and len(docstring.splitlines()) < 3):
            wrong.append(f"{path.relative_to(ROOT)}: the docstring has {len(docstring.splitlines())} lines")
    refuse(
        wrong,
        "Open each file with `# SPDX-License-Identifier: Apache-2.0` and a docstring; in gatebot/ of three to eight "
        "lines: what lives here, and what may not:",
    )


def test_every_folder_of_python_is_a_package() -> None:
    folders = {path.parent for path in python_files("gatebot", "tests")}
    exempt = {m.path.parent for m in modules().values() if m.exempt} | {ROOT / "gatebot" / "migrations"}
    missing = [str(f.relative_to(ROOT)) for f in sorted(folders - exempt) if not (f / "__init__.py").exists()]
    refuse(missing, "Two tests of one name in folders without __init__.py hide each other; add one to these:")


def test_nothing_is_left_for_later() -> None:
    left = re.compile(r"\b(TO" + r"DO|FIX" + r"ME)\b")
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path, text in tracked_texts().items()
        if path.suffix in (".py", ".js", ".css", ".html", ".sh", ".yaml", ".toml")
        if not path.is_relative_to(ROOT / "tests" / "data")  # others' texts, as they are
        for number, line in enumerate(text.splitlines(), 1)
        if left.search(line)
    ]
    refuse(wrong, "Do it, or file an issue and delete the note:")


def test_data_folders_hold_no_python_that_is_imported() -> None:
    wrong = [
        f"{at(m, line)}: {name}"
        for m in modules().values()
        for name, line in imports(m)
        if name.partition(".")[0] in ("jobs", "web", "demo")
    ]
    wrong += [str(path.relative_to(ROOT)) for path in python_files("web")]
    refuse(wrong, "jobs/, web/ and demo/ are data; code lives in gatebot/:")


def test_nothing_tracked_names_one_machine() -> None:
    places = [
        "/wo" + r"rk/(main|shared|\.library)\b",
        r"(?<![\w.}])/ro" + r"ot/",
        r"\.\./sha" + "red/",
        "/opt/g" + "b/",
    ]
    hosts = ["pypi" + r"\.org", "pythonhosted" + r"\.org", r"registry\.npm" + r"js\.org", r"deb\.deb" + r"ian\.org"]
    named = re.compile("|".join([*places, *hosts]))
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {found.group()}"
        for path, text in tracked_texts().items()
        for number, line in enumerate(text.splitlines(), 1)
        if (found := named.search(line))
    ]
    refuse(wrong, "A path or a package host of one machine is wrong on every other; ask the host's own settings:")
