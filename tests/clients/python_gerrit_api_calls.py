# SPDX-License-Identifier: Apache-2.0
"""Makes the calls of python-gerrit-api 3.1.0, in its environment, against one server, each where it makes sense.

    python python_gerrit_api_calls.py URL USER PASSWORD

One line of JSON is printed for each call: its name, and what it raised. What the server has no notion of is called too.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from gerrit import GerritClient  # type: ignore[import-untyped]

Calls = list[tuple[str, Callable[[], Any]]]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINXDKq8tA5dAOqaZSYZGlN6uWuumcgOQEGYD1a8/NcZg you@example.com"


class Missing:
    """What a call would have answered that failed."""

    def __getattr__(self, name: str) -> Any:
        return self

    def __getitem__(self, name: object) -> Any:
        return self

    def __call__(self, *_: object, **__: object) -> Any:
        raise RuntimeError("what this needs was not answered")


def called(name: str, call: Callable[[], Any]) -> Any:
    """One call, and its line."""
    try:
        answer, wrong = call(), ""
    except Exception as error:
        answer, wrong = Missing(), f"{type(error).__name__}: {error}"[:300]
    print(json.dumps({"call": name, "wrong": wrong}), flush=True)
    return answer


def every(calls: Calls) -> None:
    """Calls, one after the other."""
    for name, call in calls:
        called(name, call)


def of_server(client: GerritClient) -> None:
    """The server, its accounts and groups."""
    config = client.config
    every([
        ("version", lambda: client.version), ("server", lambda: client.server),
        ("config.summary", config.get_summary), ("config.capabilities", config.list_capabilities),
        ("config.top_menus", config.get_top_menus), ("config.preferences", config.get_default_user_preferences),
        ("config.diff_preferences", config.get_default_diff_preferences),
        ("config.edit_preferences", config.get_default_edit_preferences),
        ("config.caches", config.caches.list), ("config.tasks", config.tasks.list),
        ("config.check_consistency", lambda: config.check_consistency({"check_accounts": {}})),
        ("plugins.list", lambda: client.plugins.list(is_all=True)),
    ])  # fmt: skip
    accounts = client.accounts
    made = {"name": "Bob", "email": "bob@example.com", "http_password": "correct-horse-battery"}
    called("accounts.create", lambda: accounts.create("bob", made))
    called("accounts.search", lambda: accounts.search("name:bob", limit=5, skip=0, detailed=True))
    account = called("accounts.get", lambda: accounts.get("bob"))
    me = accounts.get("self")
    every([
        ("account.detail", account.get_detail), ("account.name", account.get_name),
        ("account.set_name", lambda: account.set_name({"name": "Bob B."})),
        ("account.status", account.get_status), ("account.set_status", lambda: me.set_status("Out")),
        ("account.displayname", lambda: me.set_displayname({"display_name": "Adm"})),
        ("account.active", account.get_active), ("account.delete_active", account.delete_active),
        ("account.set_active", account.set_active),
        ("account.set_password", lambda: account.set_http_password({"http_password": "another-horse-battery"})),
        ("account.capabilities", me.list_capabilities),
        ("account.capability", lambda: me.check_capability("createProject")),
        ("account.groups", lambda: me.groups), ("account.preferences", me.get_user_preferences),
        ("account.set_preferences", lambda: me.set_user_preferences({"changes_per_page": 50})),
        ("account.diff_preferences", me.get_diff_preferences),
        ("account.set_diff_preferences", lambda: me.set_diff_preferences({"context": 5})),
        ("account.edit_preferences", me.get_edit_preferences),
        ("account.set_edit_preferences", lambda: me.set_edit_preferences({"tab_size": 4})),
        ("account.watched", me.get_watched_projects), ("account.external_ids", me.get_external_ids),
        ("account.agreements", me.list_contributor_agreements),
        ("account.emails.list", me.emails.list), ("account.ssh_keys.list", me.ssh_keys.list),
        ("account.gpg_keys.list", me.gpg_keys.list), ("account.starred", me.get_default_starred_changes),
        ("account.index", account.index),
    ])  # fmt: skip
    key = called("account.ssh_keys.add", lambda: me.ssh_keys.add(KEY))
    called("account.ssh_keys.get", lambda: me.ssh_keys.get(str(key["seq"])))
    called("account.ssh_keys.delete", lambda: me.ssh_keys.delete(str(key["seq"])))
    called("account.emails.create", lambda: account.emails.create("bob2@example.com"))
    called("account.emails.get", lambda: account.emails.get("bob@example.com"))
    called("account.emails.set_preferred", lambda: account.emails.set_preferred("bob2@example.com"))
    called("account.emails.delete", lambda: account.emails.delete("bob@example.com"))
    of_groups(client)


def of_groups(client: GerritClient) -> None:
    """Groups and who is in them."""
    groups = client.groups
    called("groups.create", lambda: groups.create("team", {"description": "A team", "visible_to_all": True}))
    called("groups.create another", lambda: groups.create("others", {}))
    called("groups.list", groups.list)
    called("groups.search", lambda: groups.search("inname:team"))
    group, other = called("groups.get", lambda: groups.get("team")), groups.get("others")
    every([
        ("group.name", group.get_name), ("group.detail", group.get_detail),
        ("group.set_name", lambda: group.set_name({"name": "team two"})),
        ("group.description", group.get_description),
        ("group.set_description", lambda: group.set_description({"description": "Another"})),
        ("group.delete_description", group.delete_description), ("group.options", group.get_options),
        ("group.set_options", lambda: group.set_options({"visible_to_all": False})),
        ("group.owner", group.get_owner), ("group.set_owner", lambda: group.set_owner({"owner": "Administrators"})),
        ("group.audit_log", group.get_audit_log), ("group.index", group.index),
        ("group.members.add", lambda: group.members.add("bob")), ("group.members.list", group.members.list),
        ("group.members.get", lambda: group.members.get("bob")),
        ("group.members.remove", lambda: group.members.remove("bob")),
        ("group.subgroup.add", lambda: group.subgroup.add(other.id)), ("group.subgroup.list", group.subgroup.list),
        ("group.subgroup.get", lambda: group.subgroup.get(other.id)),
        ("group.subgroup.remove", lambda: group.subgroup.remove(other.id)),
    ])  # fmt: skip


def of_projects(client: GerritClient) -> Any:
    """A project, with branches, tags, labels."""
    projects = client.projects
    made = {"description": "A library", "create_empty_commit": True, "branches": ["main", "stable"]}
    called("projects.create", lambda: projects.create("team/lib", made))
    called("projects.list", lambda: projects.list(limit=5, skip=0, description=True))
    called("projects.search", lambda: projects.search("state:active", limit=5, skip=0))
    one = called("projects.get", lambda: projects.get("team/lib"))
    every([
        ("project.description", one.get_description),
        ("project.set_description", lambda: one.set_description({"description": "The library"})),
        ("project.delete_description", one.delete_description), ("project.parent", one.get_parent),
        ("project.set_parent", lambda: one.set_parent({"parent": "All-Projects", "commit_message": "Move"})),
        ("project.head", one.get_head), ("project.set_head", lambda: one.set_head({"ref": "refs/heads/stable"})),
        ("project.set_head back", lambda: one.set_head({"ref": "refs/heads/main"})),
        ("project.config", one.get_config), ("project.set_config", lambda: one.set_config({"description": "Lib"})),
        ("project.statistics", one.get_statistics), ("project.access", one.get_access_rights),
        ("project.gc", lambda: one.run_garbage_collection({"show_progress": False})),
        ("project.check_access", lambda: one.check_access("account=admin&ref=refs/heads/main")),
        ("project.index", lambda: one.index({"index_children": False})),
        ("project.index_changes", one.index_all_changes),
        ("project.children", lambda: one.child_projects), ("project.dashboards", one.dashboards.list),
        ("project.branches.list", lambda: one.branches.list(limit=5, skip=0)),
        ("project.branches.create", lambda: one.branches.create("next", {"revision": "main"})),
        ("project.branches.delete", lambda: one.branches.delete("next")),
        ("project.labels.list", one.labels.list),
        ("project.labels.create", lambda: one.labels.create("Style", {"values": {" 0": "No", "+1": "Good"}})),
        ("project.labels.get", lambda: one.labels.get("Style")),
        ("project.labels.delete", lambda: one.labels.delete("Style")), ("project.webhooks", one.webhooks.list),
    ])  # fmt: skip
    branch = called("project.branches.get", lambda: one.branches.get("main"))
    every([
        ("branch.mergeable", lambda: branch.is_mergeable({"source": "stable"})), ("branch.reflog", branch.get_reflog),
        ("project.tags.create", lambda: one.tags.create("v1", {"revision": branch.revision, "message": "One"})),
        ("project.tags.list", lambda: one.tags.list(limit=5, skip=0)), ("project.tags.get", lambda: one.tags.get("v1")),
        ("project.tags.delete", lambda: one.tags.delete("v1")),
    ])  # fmt: skip
    commit = called("project.commit", lambda: one.get_commit(branch.revision))
    called("commit.in", commit.get_include_in)
    called("commit.files", commit.list_change_files)
    return one


def of_changes(client: GerritClient) -> None:
    """A change, edited, reviewed, moved about, submitted."""
    wanted = {"project": "team/lib", "branch": "main", "subject": "Add a thing", "topic": "things"}
    made = called("changes.create", lambda: client.changes.create(wanted))
    called("changes.search", lambda: client.changes.search("topic:things", options=["LABELS"], limit=5, skip=0))
    change = called("changes.get", lambda: client.changes.get(made["id"]))
    called("change.create_empty_edit", change.create_empty_edit)
    edit = called("change.edit", change.get_edit)
    every([
        ("edit.put", lambda: edit.put_change_file_content("thing.txt", "one\ntwo\n")),
        ("edit.put another", lambda: edit.put_change_file_content("other.txt", "one\n")),
        ("edit.content", lambda: edit.get_change_file_content("thing.txt")),
        ("edit.meta", lambda: edit.get_file_meta_data("thing.txt")),
        ("edit.rename", lambda: edit.rename_file("other.txt", "another.txt")),
        ("edit.delete_file", lambda: edit.delete_file("another.txt")),
        ("edit.message", edit.get_commit_message), ("edit.rebase", edit.rebase),
        ("edit.publish", lambda: edit.publish({"notify": "NONE"})),
    ])  # fmt: skip
    every([
        ("change.detail", lambda: change.get_detail(options=["CURRENT_REVISION"])),
        ("change.topic", change.get_topic), ("change.set_topic", lambda: change.set_topic("t")),
        ("change.delete_topic", change.delete_topic), ("change.comments", change.list_comments),
        ("change.drafts", change.list_drafts), ("change.check", change.consistency_check),
        ("change.index", change.index), ("change.hashtags", change.get_hashtags),
        ("change.set_hashtags", lambda: change.set_hashtags({"add": ["x"], "remove": ["y"]})),
        ("change.together", change.list_submitted_together_changes), ("change.messages", change.messages.list),
        ("change.wip", lambda: change.set_work_in_progress({"message": "Wait"})),
        ("change.ready", lambda: change.set_ready_for_review({"message": "Go"})),
        ("change.private", lambda: change.mark_private({"message": "Mine"})),
        ("change.public", lambda: change.unmark_private({"message": "Ours"})),
        ("change.attention", change.get_attention_set),
        ("change.add_attention", lambda: change.add_to_attention_set({"user": "bob", "reason": "Look"})),
        ("change.remove_attention", lambda: change.remove_from_attention_set("bob", {"reason": "Seen"})),
        ("change.set_message", lambda: change.set_commit_message({
            "message": f"Add two things\n\nChange-Id: {change.change_id}\n", "notify": "NONE"})),
        ("change.meta_diff", change.get_meta_diff),
        ("change.reviewers.add", lambda: change.reviewers.add({"reviewer": "bob"})),
        ("change.reviewers.list", change.reviewers.list), ("change.reviewers.get", lambda: change.reviewers.get("bob")),
        ("reviewer.votes", lambda: change.reviewers.get("bob").list_votes()),
        ("reviewer.delete", lambda: change.reviewers.get("bob").delete()),
        ("account.star", lambda: client.accounts.get("self").put_default_star_on_change(change.id)),
        ("account.unstar", lambda: client.accounts.get("self").remove_default_star_from_change(change.id)),
        ("requirement", lambda: change.check_submit_requirement({"name": "X", "submittability_expression": "is:true"})),
        ("change.abandon", change.abandon), ("change.restore", change.restore),
    ])  # fmt: skip
    of_revision(client, change)


def of_revision(client: GerritClient, change: Any) -> None:
    """The current patch set."""
    one = called("change.revision", change.get_revision)
    every([
        ("revision.commit", one.get_commit), ("revision.description", one.get_description),
        ("revision.set_description", lambda: one.set_description({"description": "Better"})),
        ("revision.actions", one.get_revision_actions), ("revision.review", one.get_review),
        ("revision.related", one.get_related_changes), ("revision.patch", one.get_patch),
        ("revision.patch decoded", lambda: one.get_patch(decode=True)), ("revision.mergeable", one.is_mergeable),
        ("revision.submit_type", one.get_submit_type), ("revision.test_submit_type", lambda: one.test_submit_type({})),
        ("revision.submit_preview", one.submit_preview), ("revision.reviewers", one.list_reviewers),
        ("files.search", one.files.search), ("file.diff", lambda: one.files.get("thing.txt").get_diff(intraline=True)),
        ("file.content", lambda: one.files.get("thing.txt").get_content(decode=True)),
        ("file.download", lambda: one.files.get("thing.txt").download_content()),
        ("file.blame", lambda: one.files.get("thing.txt").get_blame()),
        ("file.reviewed", lambda: one.files.get("thing.txt").set_reviewed()),
        ("file.unreviewed", lambda: one.files.get("thing.txt").delete_reviewed()),
    ])  # fmt: skip
    body = {"path": "thing.txt", "line": 1, "message": "Hm", "unresolved": True}
    draft = called("drafts.create", lambda: one.drafts.get(one.drafts.create(body)["id"]))
    every([
        ("drafts.list", one.drafts.list), ("drafts.get", lambda: one.drafts.get(str(draft))),
        ("draft.update", lambda: draft.update(body | {"message": "Hm!"})), ("draft.delete", draft.delete),
        ("revision.set_review", lambda: one.set_review({
            "message": "Good", "labels": {"Code-Review": 2},
            "comments": {"thing.txt": [{"line": 1, "message": "Nice"}]},
        })),
        ("comments.list", one.comments.list), ("revision.votes", lambda: one.list_votes("admin")),
        ("revision.submit", one.submit), ("change.in", change.get_include_in),
        ("change.pure_revert", lambda: change.get_pure_revert("")), ("change.revert", change.revert),
        ("cherry_pick", lambda: one.cherry_pick({"message": "Pick it", "destination": "stable"})),
    ])  # fmt: skip
    wanted = {"project": "team/lib", "branch": "main", "subject": "Go away"}
    last = called("changes.create another", lambda: client.changes.get(client.changes.create(wanted)["id"]))
    called("change.rebase", lambda: last.rebase({}))
    called("change.move", lambda: last.move({"destination_branch": "stable"}))
    called("change.delete", last.delete)


def main() -> None:
    """All calls."""
    client = GerritClient(*sys.argv[1:4])
    of_server(client)
    of_projects(client)
    of_changes(client)


if __name__ == "__main__":
    main()
