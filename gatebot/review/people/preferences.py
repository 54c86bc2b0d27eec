# SPDX-License-Identifier: Apache-2.0
"""What an account may choose about pages and differences, and what is so until it chooses.

Pure. The names, the kinds of values and the defaults are Gerrit's; what is not among them is passed
over, as Gerrit does.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...assignment import Json
from ...errors import Invalid
from ...reasons import reason

GENERAL: Mapping[str, Json] = {
    "changes_per_page": 25,
    "theme": "AUTO",
    "date_format": "STD",
    "time_format": "HHMM_12",
    "diff_view": "SIDE_BY_SIDE",
    "email_strategy": "ENABLED",
    "email_format": "HTML_PLAINTEXT",
    "default_base_for_merges": "AUTO_MERGE",
    "size_bar_in_change_table": True,
    "legacycid_in_change_table": False,
    "mute_common_path_prefixes": True,
    "signed_off_by": False,
    "publish_comments_on_push": False,
    "work_in_progress_by_default": False,
    "disable_keyboard_shortcuts": False,
    "disable_token_highlighting": False,
    "allow_browser_notifications": True,
    "relative_date_in_change_table": False,
    "expand_inline_diffs": False,
    "my": [
        {"url": "#/dashboard/self", "name": "Changes"},
        {"url": "#/q/has:draft", "name": "Draft Comments"},
        {"url": "#/q/is:watched+is:open", "name": "Watched Changes"},
        {"url": "#/q/is:starred", "name": "Starred Changes"},
    ],
    "change_table": [],
}
DIFF: Mapping[str, Json] = {
    "context": 10,
    "tab_size": 8,
    "font_size": 12,
    "line_length": 100,
    "cursor_blink_rate": 0,
    "ignore_whitespace": "IGNORE_NONE",
    "intraline_difference": True,
    "show_line_endings": True,
    "show_tabs": True,
    "show_whitespace_errors": True,
    "syntax_highlighting": True,
    "auto_hide_diff_table_header": True,
    "line_wrapping": False,
    "expand_all_comments": False,
    "hide_top_menu": False,
    "hide_line_numbers": False,
    "manual_review": False,
    "render_entire_file": False,
    "retain_header": False,
    "skip_deleted": False,
    "skip_unchanged": False,
    "skip_uncommented": False,
    "match_brackets": False,
}
EDIT: Mapping[str, Json] = {
    "tab_size": 8,
    "line_length": 100,
    "indent_unit": 2,
    "cursor_blink_rate": 0,
    "hide_top_menu": False,
    "show_tabs": True,
    "show_whitespace_errors": False,
    "syntax_highlighting": True,
    "hide_line_numbers": False,
    "match_brackets": True,
    "line_wrapping": False,
    "indent_with_tabs": False,
    "auto_close_brackets": False,
}
CHOICES: Mapping[str, tuple[str, ...]] = {
    "email_strategy": ("ENABLED", "CC_ON_OWN_COMMENTS", "ATTENTION_SET_ONLY", "DISABLED"),
    "email_format": ("PLAINTEXT", "HTML_PLAINTEXT"),
}
KINDS: Mapping[str, Mapping[str, Json]] = {"general": GENERAL, "diff": DIFF, "edit": EDIT}


def merged(kind: str, stored: Mapping[str, Json], wanted: Mapping[str, Json]) -> dict[str, Json]:
    """What is stored after `wanted` was asked for; a value of another kind than the default is refused."""
    defaults = KINDS[kind]
    found = {name: value for name, value in stored.items() if name in defaults}
    for name, value in wanted.items():
        if name in defaults and value is not None:
            found[name] = _fitting(name, value, defaults[name])
    return found


def shown(kind: str, stored: Mapping[str, Json]) -> dict[str, Json]:
    """What is told: the defaults and what was chosen, without what is false, as Gerrit writes JSON."""
    chosen = {**KINDS[kind], **stored}
    return {name: value for name, value in chosen.items() if value is not False and value != []}


def _fitting(name: str, value: Json, default: Json) -> Json:
    match default:
        case bool():
            if isinstance(value, bool):
                return value
            if isinstance(value, str) and value.lower() in ("true", "false"):
                return value.lower() == "true"
            raise _bad(name, "it must be true or false")
        case int():
            if isinstance(value, int | str) and str(value).isdecimal() and len(str(value)) < 6:
                return int(value)
            raise _bad(name, "it must be a whole number")
        case str() if name in CHOICES and value not in CHOICES[name]:
            raise _bad(name, f"it is one of {', '.join(CHOICES[name])}")
        case str():
            if isinstance(value, str) and len(value) <= 100:
                return value
            raise _bad(name, "it must be a text of at most 100 characters")
        case _:
            if isinstance(value, list) and len(value) <= 50:
                return value
            raise _bad(name, "it must be a list of at most 50")


def _bad(name: str, why: str) -> Invalid:
    return Invalid(reason=reason("review.bad-field", field=name, why=why))
