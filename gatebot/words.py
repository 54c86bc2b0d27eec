# SPDX-License-Identifier: Apache-2.0
"""The only place where reasons become sentences, in the reader's language.

Sentences live in `locale/LANGUAGE/*.po`. The id of a reason's entry is its kind
(`pipeline.job-failed`), with `%(name)s` places; the id of a page's text is the English text itself.
English has entries for reasons only, other languages for both. A kind without an entry is a defect
that the tests find; a reader would still see the kind and its parameters, never a stack trace.
"""

from __future__ import annotations

import gettext
import io
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from .change import own_number
from .particles import Sentence, filled
from .reasons import Reason

LANGUAGES = ("en", "ko")
_FOREIGN = re.compile(r"\b[1-9]\d{8}\b")
_LOCALE = Path(__file__).parent / "locale"


@cache
def catalogue(language: str) -> Catalog:
    """All entries of one language, merged from its files; unknown languages read as English."""
    merged = Catalog(locale=language)
    for path in sorted((_LOCALE / language).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                if message.id:
                    merged[message.id] = message
    return merged


@cache
def translations(language: str) -> gettext.NullTranslations:
    """The catalogue in the form that Jinja's i18n extension and `gettext` take."""
    if language not in LANGUAGES:
        language = "en"
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(language))
    compiled.seek(0)
    return _Korean(compiled) if language == "ko" else Translations(compiled)


class _Korean(Translations):
    """Gives sentences that choose their particles when words are put into them."""

    def gettext(self, message: str) -> str:
        """The sentence of an entry."""
        return Sentence(super().gettext(message))

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """The sentence of an entry for so many."""
        return Sentence(super().ngettext(msgid1, msgid2, n))


def for_templates(language: str) -> dict[str, Callable[..., str]]:
    """`gettext` and `ngettext` for Jinja in its new style, which choose particles; its own make `Markup` first."""
    told = translations(language)

    @pass_context
    def one(context: Context, message: str, /, **values: object) -> str:
        return filled(_marked(context, told.gettext(message)), values)

    @pass_context
    def many(context: Context, singular: str, plural: str, num: int, /, **values: object) -> str:
        return filled(_marked(context, told.ngettext(singular, plural, num)), {"num": num, **values})

    return {"gettext": one, "ngettext": many}


def _marked(context: Context, sentence: str) -> str:
    # Sentences of the catalogue are written by us; what is put into them is escaped then.
    return Markup(str(sentence)) if context.eval_ctx.autoescape else str(sentence)  # noqa: S704


def say(reason: Reason, language: str = "en") -> str:
    """The sentence of a reason, followed by the sentences of what caused it."""
    template = translations(language).gettext(reason.kind)
    if template == reason.kind and language != "en":
        template = translations("en").gettext(reason.kind)
    params = dict(map(_shown, reason.params))
    try:
        sentence = template % params if template != reason.kind else _bare(reason)
    except (KeyError, ValueError, TypeError):
        sentence = _bare(reason)
    return " ".join([sentence, *(say(cause, language) for cause in reason.because)])


def _shown(param: tuple[str, str | int]) -> tuple[str, str | int]:
    """Changes are named by the numbers that their own site gives them."""
    name, value = param
    if name == "change" and isinstance(value, int):
        return name, own_number(value)
    if name == "changes" and isinstance(value, str):
        return name, _FOREIGN.sub(lambda found: str(own_number(int(found[0]))), value)
    return param


def _bare(reason: Reason) -> str:
    """A readable form for a kind that has no sentence."""
    told = ", ".join(f"{name} {value}" for name, value in reason.params)
    words = reason.kind.split(".")[-1].replace("-", " ")
    return f"{words} ({told})" if told else words


def choose(accept: str) -> str:
    """The best language of ours for an `Accept-Language` header."""
    wanted: list[tuple[float, str]] = []
    for part in accept.split(","):
        name, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            weight = 0.0
        wanted.append((weight, name.split("-")[0].lower()))
    known = [(weight, name) for weight, name in wanted if name in LANGUAGES and weight > 0]
    return max(known, key=lambda pair: pair[0])[1] if known else "en"
