# SPDX-License-Identifier: Apache-2.0
"""What the routes themselves do not say of the REST calls: queries, fields of bodies, kinds of answers.

Pure data and how to look into it; a pattern that fits no route any more is found by a test. What a field means stands
in Gerrit's own documentation, whose names these are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..assignment import Json

JSON, TEXT, EVENTS, ANY = "application/json", "text/plain", "text/event-stream", "application/octet-stream"

_PAGED = "n S"
_QUERIES: Sequence[tuple[str, str]] = (
    (r"/changes", "q n S o* O no-limit query limit start"),
    (r"/accounts/", "q n S o* suggest"),
    (r"/groups/", "q query query2 m r n S o* owned"),
    (r"/projects/", "p m r b query type state n S d t"),
    (r"/projects/{project}/(branches|tags)", "m r n s"),
    (r"/projects/{project}/(labels|children|submit_requirements|dashboards(/{dashboard})?)", "inherited recursive"),
    (r"/projects/{project}/branches/{branch}/mergeable", "source strategy"),
    (r"/projects/{project}/commits:in", "commit* ref*"),
    (r"/projects/{project}/commits/{commit}/files", "parent"),
    (r"/projects/{project}/check.access", "ref perm account"),
    (r"/access", "project*"),
    (r"/config/server/caches", "format"),
    (r"/changes/{id}(/detail)?", "o* O"),
    (r"/changes/{id}/submitted_together", "o*"),
    (r"/changes/{id}/suggest_reviewers", "q n"),
    (r"/changes/{id}/pure_revert", "o"),
    (r"/changes/{id}/revisions/{revision}/files", "base parent reviewed q"),
    (
        r"/changes/{id}/revisions/{revision}/files/{file}/(diff|blame|content|download)",
        "base parent context whitespace",
    ),
    (r"/changes/{id}/revisions/{revision}/(patch|archive)", "zip download path format"),
    (r"/api/builds|/api/tenant/{tenant}/(builds|buildsets)", "project pipeline job_name change result limit skip"),
    (r"/api/build/{build}/search", "q file after"),
    (r"/api/irclogs/search", "q channel limit sort older"),
    (r"/api/meetings", "name channel limit"),
    (r"/api/meetings/search", "q limit"),
    (r"/plugins/events-log/events", "t1 t2 since-id"),
)
_NOTE = "message notify notify_details"
_BODIES: Sequence[tuple[str, str]] = (
    (r"POST .*/(abandon|restore)", _NOTE),
    (r"POST .*/(wip|ready)|PUT /changes/{id}/private|POST .*/private.*", "message"),
    (r"POST .*/(revert|revert_submission)", f"{_NOTE} topic"),
    (r"POST .*/submit", f"{_NOTE} bypass_gate"),
    (r"POST .*/move", "destination_branch message keep_all_votes"),
    (r"POST .*/rebase(:chain)?", "base allow_conflicts"),
    (r"POST .*/cherrypick", f"{_NOTE} destination base parent topic keep_reviewers allow_conflicts allow_empty"),
    (r"POST .*/review", f"{_NOTE} labels comments drafts tag reviewers ready work_in_progress strict_labels "
     "add_to_attention_set remove_from_attention_set ignore_automatic_attention_set_rules on_behalf_of"),
    (r"POST .*/reviewers", "reviewer state confirmed"),
    (r"POST .*/attention", "user reason"),
    (r"POST .*/(delete)|DELETE .*", "reason"),
    (r"POST .*/hashtags", "add remove"),
    (r"POST .*/custom_keyed_values", "remove"),
    (r"PUT .*/topic", "topic"),
    (r"PUT .*/message|PUT .*/edit:message", "message"),
    (r"PUT .*/description", "description commit_message"),
    (r"PUT .*/drafts.*", "path line side range message in_reply_to unresolved fix_suggestions"),
    (r"POST .*/fix:.*", "original_patchset_for_fix fix_replacement_infos"),
    (r"POST /changes", "project branch subject topic base_commit base_change author merge patch new_branch "
     "is_private work_in_progress status"),
    (r"POST .*/patch:apply", "patch commit_message base author amend response_format_options"),
    (r"POST /changes/{id}/merge", "merge subject base_change inherit_parent author"),
    (r"POST .*/edit", "restore_path old_path new_path"),
    (r"POST .*/check.submit_requirement",
     "name submittability_expression applicability_expression override_expression description"),
    (r"POST .*/check.access", "account ref permission"),
    (r"PUT /projects/{project}", "description parent submit_type create_empty_commit branches"),
    (r"PUT .*/config", "description submit_type state require_change_id commit_message"),
    (r"PUT .*/HEAD", "ref"),
    (r"PUT .*/parent", "parent commit_message"),
    (r"PUT .*/labels/{label}", "name values commit_message"),
    (r"PUT .*/submit_requirements/{requirement}",
     "name description submittability_expression applicability_expression override_expression "
     "allow_override_in_child_projects commit_message"),
    (r"POST /config/server/caches", "operation caches"),
    (r"POST /projects/{project}/gc", "show_progress aggressive async"),
    (r"PUT /projects/{project}/ban", "commits reason"),
    (r"PUT .*/dashboards/{dashboard}", "id commit_message"),
    (r"POST .*/submit_requirements(:review)?", "create update delete commit_message"),
    (r"P(OST|UT) .*/access.*", "add remove parent message"),
    (r"PUT .*/branches/{branch}|PUT .*/tags/{tag}", "ref revision message"),
    (r"POST .*:delete", "branches tags"),
    (r"PUT /groups/{group}", "name description owner visible_to_all members"),
    (r"PUT /groups/{group}/(name|owner|description|options)", "name owner description visible_to_all"),
    (r"POST /groups/{group}/(members|groups).*", "members groups"),
    (r"PUT /accounts/{account}", "name email http_password groups ssh_key"),
    (r"PUT /accounts/{account}/name", "name"),
    (r"PUT /accounts/{account}/(status|displayname)", "status display_name"),
    (r"PUT .*/password.http", "generate http_password"),
    (r"POST .*/watched.projects:delete|POST .*/watched.projects", "project"),
    (r"POST .*/(enqueue|dequeue|promote)", "pipeline project change changes ref branch"),
    (r"POST .*/autohold", "job change ref reason count node_hold_expiration"),
    (r"POST .*/hold", "hours"),
    (r"POST /api/executors", "name"),
)  # fmt: skip
_LISTS = re.compile(r".*/watched\.projects(:delete)?")
_FLAGS = frozenset({
    "bypass_gate", "keep_all_votes", "allow_conflicts", "keep_reviewers", "allow_empty", "ready", "work_in_progress",
    "strict_labels", "ignore_automatic_attention_set_rules", "confirmed", "unresolved", "is_private",
    "create_empty_commit", "visible_to_all", "generate", "allow_override_in_child_projects", "new_branch", "amend",
    "inherit_parent", "show_progress", "aggressive", "async",
})  # fmt: skip
_NUMBERS = frozenset(
    {"n", "S", "s", "parent", "line", "context", "limit", "skip", "since-id", "count", "hours", "older"}
)
_OBJECTS = frozenset({"notify_details", "labels", "comments", "range", "values", "update", "author", "merge", "patch"})
_MANY = frozenset({
    "reviewers", "add_to_attention_set", "remove_from_attention_set", "fix_suggestions", "fix_replacement_infos",
    "changes", "members", "groups", "branches", "tags", "add", "remove", "create", "delete", "caches", "commits",
    "response_format_options",
})  # fmt: skip
_WORDS: Mapping[str, Sequence[str]] = {
    "notify": ("NONE", "OWNER", "OWNER_REVIEWERS", "ALL"),
    "drafts": ("KEEP", "PUBLISH", "PUBLISH_ALL_REVISIONS"),
    "side": ("REVISION", "PARENT"),
    "operation": ("FLUSH", "FLUSH_ALL"),
    "state": ("REVIEWER", "CC"),
    "sort": ("best", "newest"),
}
_KINDS: Sequence[tuple[str, tuple[str, ...]]] = (
    (r".*/(content|download|archive|patch)|GET .*/edit(/{file}|:message)", (JSON, TEXT, "application/*", "image/*")),
    (r".*/git-upload-pack|.*/info/refs", ("application/x-git-upload-pack-result",
                                          "application/x-git-upload-pack-advertisement")),
    (r".*\.pub|.*/events-log.*|.*/log(/lines)?|.*/executor/.*", (JSON, TEXT, EVENTS, ANY)),
    (r"POST .*/gc|GET .*/caches", (JSON, TEXT)),
    (r".*/badge", (JSON, "image/svg+xml")),
)  # fmt: skip


def query_of(path: str) -> list[Json]:
    """The parameters of a path's query."""
    names = _first(_QUERIES, path).split()
    return [
        {
            "name": name.rstrip("*"),
            "in": "query",
            "schema": {"type": "array", "items": _schema("")} if name.endswith("*") else _schema(name),
        }
        for name in names
    ]


def body_of(method: str, path: str) -> dict[str, Json]:
    """What is sent with a write."""
    names = _first(_BODIES, f"{method} {path}").split()
    fields: dict[str, Json] = {name: _schema(name) for name in names}
    one: dict[str, Json] = {"type": "object", "properties": fields}
    return {"content": {JSON: {"schema": {"type": "array", "items": one} if _LISTS.fullmatch(path) else one}}}


def kinds_of(method: str, path: str) -> Sequence[str]:
    """The kinds of what is answered."""
    return next((kinds for rule, kinds in _KINDS if re.fullmatch(rule, f"{method} {path}")), (JSON,))


def unused(calls: Sequence[str]) -> list[str]:
    """The patterns that fit none of these calls, each `METHOD PATH`."""
    paths = {call.partition(" ")[2] for call in calls}
    tables = ((_QUERIES, paths), (_BODIES, set(calls)), (_KINDS, set(calls)))
    return [rule for table, names in tables for rule, _ in table if not any(re.fullmatch(rule, one) for one in names)]


def _first(table: Sequence[tuple[str, str]], text: str) -> str:
    return next((names for rule, names in table if re.fullmatch(rule, text)), "")


def _schema(name: str) -> dict[str, Json]:
    if name in _WORDS:
        return {"type": "string", "enum": list(_WORDS[name])}
    if name in _NUMBERS:
        return {"type": "integer"}
    if name in _FLAGS:
        return {"type": "boolean"}
    if name in _OBJECTS:
        return {"type": "object"}
    return {"type": "array"} if name in _MANY else {"type": "string"}
