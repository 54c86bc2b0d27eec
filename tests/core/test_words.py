# SPDX-License-Identifier: Apache-2.0
"""The catalogues are whole: every text of a page has its Korean, every reason its sentence in each language."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.extract import extract_python
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from gatebot import words
from gatebot.reasons import reason
from gatebot.review.mail.letters import SENTENCES as MAIL_SENTENCES
from gatebot.review.rules import PRESETS
from gatebot.site import _HEADINGS

ROOT = Path(__file__).resolve().parents[2]
KIND = re.compile(r"(?:hall|site|config|push|review|pipeline|executor|meetbot)\.[a-z0-9]+(?:-[a-z0-9]+)*\Z")
PLACE = re.compile(r"%\((\w+)\)s")


def page_texts() -> set[str]:
    """Every English text of templates and of pages' code, and those that stand in tables."""
    found: set[str] = set()
    keywords = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}
    for path in (ROOT / "web" / "templates").rglob("*.html"):
        with path.open("rb") as file:
            found |= {first(text) for _, _, text, _ in babel_extract(file, keywords, [], {"silent": "false"})}
    for path in (ROOT / "gatebot").rglob("*.py"):
        file = io.BytesIO(path.read_bytes())
        found |= {first(text) for _, _, text, _ in extract_python(file, keywords, [], {})}
    found |= {text for pair in _HEADINGS.values() for text in pair}
    found |= {text for rules in PRESETS.values() for label in rules.labels for _, text in label.values}
    found |= set(MAIL_SENTENCES.values())
    return found - {""}


def first(text: object) -> str:
    """The id of an extracted text: of several arguments the first. What is not written out has none."""
    said = text[0] if isinstance(text, tuple | list) else text
    return said if isinstance(said, str) else ""


@cache
def reasons() -> dict[str, tuple[str, frozenset[str] | None]]:
    """Each kind of reason that the code makes: where, and the names of its parameters where they can be read."""
    return {kind: (where, names) for where, kind, names in _reasons_made()}


def _reasons_made() -> Iterator[tuple[str, str, frozenset[str] | None]]:
    for path in sorted((ROOT / "gatebot").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
                continue
            first, where = node.args[0], f"{path.relative_to(ROOT)}:{node.lineno}"
            if (
                node.func.id in ("reason", "Reason")
                and isinstance(first, ast.Constant)
                and isinstance(first.value, str)
            ):
                names = {keyword.arg for keyword in node.keywords}
                known = node.func.id == "reason" and None not in names
                yield where, first.value, frozenset(n for n in names if n) if known else None


def entries(language: str) -> dict[str, str]:
    """Every entry of a language: id -> text."""
    return {first(message.id): first(message.string) for message in words.catalogue(language) if message.id}


def test_every_text_of_a_page_has_its_korean() -> None:
    korean = entries("ko")
    missing = sorted(text for text in page_texts() if not korean.get(text))
    assert not missing, "Write these into gatebot/locale/ko/web.po:\n" + "\n".join(map(repr, missing))


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_every_reason_has_a_sentence(language: str) -> None:
    known = entries(language)
    missing = [f"{where}: {kind}" for kind, (where, _) in sorted(reasons().items()) if not known.get(kind)]
    assert not missing, f"Write these into gatebot/locale/{language}:\n" + "\n".join(missing)


def test_reasons_give_what_their_sentences_need() -> None:
    wrong = []
    for language in words.LANGUAGES:
        known = entries(language)
        for kind, (where, names) in reasons().items():
            lacking = set(PLACE.findall(known.get(kind, ""))) - names if names is not None else None
            if lacking:
                wrong.append(f"{where}: {kind} in {language} says {sorted(lacking)}, which is not given")
    assert not wrong, "\n".join(wrong)


def test_both_languages_have_the_same_places() -> None:
    english, korean = entries("en"), entries("ko")
    wrong = []
    for id, text in korean.items():
        original = english.get(id, "") if KIND.match(id) else id
        if set(PLACE.findall(original)) != set(PLACE.findall(text)):
            wrong.append(
                f"{id!r}: {sorted(PLACE.findall(original))} in English, {sorted(PLACE.findall(text))} in Korean"
            )
    assert not wrong, "\n".join(wrong)


def test_an_id_stands_in_one_file_of_a_language() -> None:
    seen: dict[tuple[str, str], str] = {}
    twice = []
    for path in sorted((ROOT / "gatebot" / "locale").rglob("*.po")):
        with path.open("rb") as file:
            ids = {(path.parent.name, first(message.id)) for message in read_po(file) if message.id}
        twice += [f"{id} is in {path.name} and {seen[id]}" for id in ids if id in seen]
        seen |= dict.fromkeys(ids, path.name)
    assert not twice, "\n".join(twice)


def test_a_reason_is_said_with_its_causes() -> None:
    why = reason("review.needs-vote", reason("review.abandoned"), label="Verified", value="+1")
    assert words.say(why) == "It needs Verified +1. The change is abandoned."
    assert words.say(reason("x.no-such-kind", job="unit")) == "no such kind (job unit)"


def test_the_language_of_the_browser_is_taken() -> None:
    assert words.choose("ko-KR,ko;q=0.9,en;q=0.8") == "ko"
    assert words.choose("fr,en;q=0.5") == "en"
    assert words.choose("*;q=x") == "en"
