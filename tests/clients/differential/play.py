# SPDX-License-Identifier: Apache-2.0
"""The play: what people and programs do in front of a server, in order. Each act is a function of one side."""

from __future__ import annotations

import itertools
import os

from tests.clients.differential.sides import PASSWORD, Side, Stream

PROJECT = "play"
#: What both servers shall judge by, whatever their own defaults are.
CONFIG = """\
[project]
	description = The stage
[receive]
	requireChangeId = true
[submit]
	action = merge if necessary
	mergeContent = true
[access "refs/heads/*"]
	label-Code-Review = -2..+2 group Registered Users
	label-Verified = -2..+2 group Registered Users
	label-Workflow = -1..+1 group Registered Users
	submit = group Registered Users
	create = group Administrators
	push = +force group Administrators
	pushMerge = group Administrators
	delete = group Administrators
	abandon = group Registered Users
	rebase = group Registered Users
	editHashtags = group Registered Users
	removeReviewer = group Registered Users
[access "refs/*"]
	revert = group Registered Users
	editTopicName = group Registered Users
	editHashtags = group Registered Users
	forgeAuthor = group Registered Users
[access "refs/for/refs/heads/*"]
	push = group Registered Users
	pushMerge = group Registered Users
[label "Code-Review"]
	function = NoBlock
	defaultValue = 0
	value = -2 This shall not be submitted
	value = -1 I would prefer this is not submitted as is
	value = 0 No score
	value = +1 Looks good to me, but someone else must approve
	value = +2 Looks good to me, approved
	copyCondition = changekind:NO_CHANGE OR changekind:TRIVIAL_REBASE OR is:MIN
[label "Verified"]
	function = NoBlock
	defaultValue = 0
	value = -2 Fails
	value = -1 Fails
	value = 0 No score
	value = +1 Works
	value = +2 Gate passed
	copyCondition = changekind:NO_CODE_CHANGE
[label "Workflow"]
	function = NoBlock
	defaultValue = 0
	value = -1 Work in progress
	value = 0 Ready for reviews
	value = +1 Approved
	copyCondition = changekind:NO_CHANGE
[submit-requirement "Code-Review"]
	description = Somebody approves
	submittableIf = label:Code-Review=MAX AND -label:Code-Review=MIN
[submit-requirement "Verified"]
	submittableIf = label:Verified=MAX AND -label:Verified=MIN
[submit-requirement "Workflow"]
	applicableIf = -branch:refs/meta/config
	submittableIf = label:Workflow=MAX
"""
GROUPS = "# UUID\tGroup Name\nglobal:Registered-Users\tRegistered Users\n{admins}\tAdministrators\n"
READ_ALL = (
    "o=ALL_REVISIONS&o=ALL_COMMITS&o=ALL_FILES&o=MESSAGES&o=DETAILED_LABELS&o=DETAILED_ACCOUNTS&o=SUBMITTABLE"
    "&o=SUBMIT_REQUIREMENTS&o=REVIEWER_UPDATES&o=CURRENT_ACTIONS&o=WEB_LINKS&o=TRACKING_IDS&o=PARENTS"
)
ZUUL = (
    "o=DETAILED_ACCOUNTS&o=CURRENT_REVISION&o=CURRENT_COMMIT&o=CURRENT_FILES&o=LABELS&o=DETAILED_LABELS"
    "&o=ALL_REVISIONS&o=SUBMIT_REQUIREMENTS"
)
QUERY = (
    "gerrit query --format json --all-approvals --comments --commit-message --current-patch-set --dependencies --files "
    "--patch-sets --submit-records --all-reviewers"
)


def change_id(name: str) -> str:
    """A Change-Id that is the same at every server."""
    return f"I{name.encode().hex():0<40.40}"


def message(subject: str, name: str, body: str = "") -> str:
    """A commit's message."""
    return f"{subject}\n\n{f'{body}{chr(10)}{chr(10)}' if body else ''}Change-Id: {change_id(name)}\n"


def people(side: Side) -> None:
    """Accounts, and what they say of themselves."""
    for name in ("amy", "ben"):
        body = {"name": name.title(), "email": f"{name}@example.com", "http_password": PASSWORD}
        side.passwords[name] = PASSWORD
        answer = side.call("admin", "PUT", f"accounts/{name}", body)
        assert answer.status in (201, 409), answer
        side.people[side.call("admin", "GET", f"accounts/{name}").value["_account_id"]] = name
    admin = side.call("admin", "GET", "accounts/self").value
    side.people[admin["_account_id"]] = "admin"
    side.ask("an account that there is", "admin", "PUT", "accounts/ben", {"name": "Ben"})
    for path in ("self", "self/detail", "ben", "ben/name", "ben/emails", "ben/username", "ben/active", "self/groups"):
        side.ask(f"GET accounts/{path}", "amy", "GET", f"accounts/{path}")
    for path in ("preferences", "preferences.diff", "preferences.edit", "capabilities", "sshkeys", "starred.changes",
                 "watched.projects"):  # fmt: skip
        side.ask(f"GET accounts/self/{path}", "amy", "GET", f"accounts/self/{path}")
    side.ask("GET accounts/nobody", "amy", "GET", "accounts/nobody")
    side.ask("query accounts", "amy", "GET", "accounts/?q=name:amy&n=5")
    side.ask("suggest accounts", "amy", "GET", "accounts/?suggest&q=am&n=5")
    side.ask("set the own name", "amy", "PUT", "accounts/self/name", {"name": "Amy"})
    side.ask("say that one is out", "amy", "PUT", "accounts/self/status", {"status": "Out"})
    side.ask("choose a display name", "amy", "PUT", "accounts/self/displayname", {"display_name": "A. M. Y."})
    side.ask("GET accounts/amy who is out", "ben", "GET", "accounts/amy/detail")
    side.ask("query accounts with what they say", "ben", "GET", "accounts/?q=name:amy&o=DETAILS")
    side.ask("say that another is out", "amy", "PUT", "accounts/ben/status", {"status": "Out"})
    side.ask("GET accounts/ben/status", "amy", "GET", "accounts/ben/status")
    side.ask("say nothing any more", "amy", "PUT", "accounts/self/status", {"status": ""})
    side.ask("take the display name back", "amy", "PUT", "accounts/self/displayname", {})
    side.ask("GET accounts/amy/groups by another", "ben", "GET", "accounts/amy/groups")
    side.ask("make an account without the right", "amy", "PUT", "accounts/zoe", {"name": "Zoe"})
    side.ask("without signing in", "", "GET", "accounts/self")


def project(side: Side) -> None:
    """A project with configuration, and its first commits."""
    admins = side.call("admin", "GET", "groups/Administrators").value["id"]
    # A new Gerrit lets nobody push there; gatebot lets administrators, and has no such call.
    rule = {"rules": {admins: {"action": "ALLOW"}}}
    add = {"refs/meta/config": {"permissions": {"push": rule}}}
    side.call("admin", "POST", "projects/All-Projects/access", {"add": add})
    side.ask(
        "create project", "admin", "PUT", f"projects/{PROJECT}", {"description": "The stage", "branches": ["main"]}
    )
    side.ask("create project again", "admin", "PUT", f"projects/{PROJECT}", {})
    side.ask("create project without the right", "amy", "PUT", "projects/other", {})
    tree = side.tree("admin", PROJECT)
    tree.env |= {"GIT_AUTHOR_EMAIL": "admin@example.com", "GIT_COMMITTER_EMAIL": "admin@example.com"}
    # Here it begins with the first configuration that somebody pushes.
    begun = tree.run("fetch", "-q", "origin", "refs/meta/config").returncode == 0
    tree.git("checkout", "-q", *(["--detach", "FETCH_HEAD"] if begun else ["--orphan", "configuration"]))
    tree.put("project.config", CONFIG)
    tree.put("groups", GROUPS.format(admins=admins))
    tree.commit("Set the stage")
    side.push("push configuration", "admin", PROJECT, "HEAD:refs/meta/config")
    tree.git("checkout", "-q", "--orphan", "fresh")
    tree.git("rm", "-r", "-q", "-f", "--ignore-unmatch", ".")
    for path, text in (("README", "A play.\n"), ("src/a.py", "a = 1\n" * 20), ("src/b.py", "b = 1\n" * 20)):
        tree.put(path, text)
    side.commits["first"] = tree.commit("Begin")
    side.push("push a branch", "admin", PROJECT, "HEAD:refs/heads/main")
    side.push("push another branch", "admin", PROJECT, "HEAD:refs/heads/stable")
    side.push("push past review without the right", "amy", PROJECT, f"{side.commits['first']}:refs/heads/new") if (
        side.tree("amy", PROJECT).git("fetch", "-q", "origin") == ""
    ) else None
    for path in (
        "",
        "HEAD",
        "description",
        "branches/",
        "branches/main",
        "branches/gone",
        "branches/?m=sta",
        "tags/",
        "config",
        "parent",
        "children/",
        "access",
        "labels/",
        "submit_requirements/",
        "submit_requirements/Verified",
        "submit_requirements/gone",
        "dashboards/",
        "dashboards/?inherited",
        "dashboards/default",
        "commits/{first}",
    ):
        side.ask(f"GET project {path or 'itself'}", "admin", "GET", f"projects/{PROJECT}/{path}")
    side.ask("GET project by a stranger", "", "GET", f"projects/{PROJECT}")
    side.ask("GET projects", "admin", "GET", f"projects/?d&p={PROJECT}")
    side.ask("GET project that there is not", "admin", "GET", "projects/gone")
    side.ask("set description", "admin", "PUT", f"projects/{PROJECT}/description", {"description": "The stage"})
    side.ask("create a branch by REST", "admin", "PUT", f"projects/{PROJECT}/branches/side", {"revision": "main"})
    side.ask("delete a branch by REST", "admin", "DELETE", f"projects/{PROJECT}/branches/side")


def keeping(side: Side) -> None:
    """What hosts of a project keep of it: submit requirements, dashboards, banned commits."""
    docs = {
        "description": "Has words",
        "submittability_expression": "is:open",
        "allow_override_in_child_projects": True,
    }
    bad = {"submittability_expression": "nonsense:x"}
    path = f"projects/{PROJECT}/submit_requirements/Docs"
    side.ask("define a submit requirement", "admin", "PUT", path, docs)
    side.ask("define it again", "admin", "PUT", path, {"submittability_expression": "is:open"})
    side.ask("define one that is broken", "admin", "PUT", path, bad)
    side.ask("define one without the right", "amy", "PUT", path, docs)
    side.ask("list submit requirements without the right", "amy", "GET", f"projects/{PROJECT}/submit_requirements/")
    side.ask("delete a submit requirement", "admin", "DELETE", path)
    side.ask("delete it again", "admin", "DELETE", path)
    side.ask("choose a dashboard that is not there", "admin", "PUT", f"projects/{PROJECT}/dashboards/default",
             {"id": "team:gone"})  # fmt: skip
    side.ask("choose no dashboard", "admin", "DELETE", f"projects/{PROJECT}/dashboards/default")
    side.ask("change another dashboard", "admin", "PUT", f"projects/{PROJECT}/dashboards/team:gone", {"id": "x:y"})
    side.ask("ban nothing", "admin", "PUT", f"projects/{PROJECT}/ban", {})
    side.ask("ban without the right", "amy", "PUT", f"projects/{PROJECT}/ban", {"commits": ["a" * 40]})
    side.ask("pack without the right", "amy", "POST", f"projects/{PROJECT}/gc", {})


def server(side: Side) -> None:
    """What servers tell of themselves."""
    for path in ("version", "info", "capabilities", "summary", "top-menus"):
        side.ask(f"GET config/server/{path}", "admin", "GET", f"config/server/{path}")
    for who, path in (("amy", "caches/"), ("admin", "caches/none"), ("admin", "caches/?format=NONSENSE"),
                      ("amy", "tasks/"), ("amy", "tasks/zz"), ("amy", "summary")):  # fmt: skip
        side.ask(f"{who} asks config/server/{path}", who, "GET", f"config/server/{path}")
    flush = {"operation": "FLUSH", "caches": ["none"]}
    side.ask("forget a cache that is not there", "admin", "POST", "config/server/caches/", flush)
    side.ask("forget all", "admin", "POST", "config/server/caches/", {"operation": "FLUSH_ALL"})
    side.ask("forget without the right", "amy", "POST", "config/server/caches/", {"operation": "FLUSH_ALL"})
    side.ask("changes by a parameter that is not there", "amy", "GET", "changes/?nonsense=1")
    side.ask("projects by a parameter that is not there", "amy", "GET", "projects/?nonsense=1")
    side.ask("GET groups", "admin", "GET", "groups/?q=Adm")
    side.ask("GET groups/Administrators", "admin", "GET", "groups/Administrators")
    side.ask("GET groups/Administrators/detail", "admin", "GET", "groups/Administrators/detail")
    side.ask("GET plugins", "admin", "GET", "plugins/?all")


def pushing(side: Side) -> None:
    """Pushes for review, good ones and bad ones."""
    side.propose("one", "amy", PROJECT, message("Add one", "one", "Why not."), {"one.txt": "1\n"})
    side.propose("two", "amy", PROJECT, message("Add two", "two"), {"two.txt": "2\n"}, onto="one")
    tree = side.tree("amy", PROJECT)
    side.push("push the same again", "amy", PROJECT, "HEAD:refs/for/main")
    tree.git("checkout", "-q", "--detach", side.commits["one"])
    tree.put("one.txt", "1\n1\n")
    tree.git("add", "-A")
    tree.git("commit", "-q", "--amend", "--no-edit")
    side.commits["one2"] = tree.git("rev-parse", "HEAD")
    side.push("push a second patch set", "amy", PROJECT, "HEAD:refs/for/main")
    tree.git("commit", "-q", "--amend", "-m", message("Add one thing", "one", "Why not."))
    side.commits["one3"] = tree.git("rev-parse", "HEAD")
    side.push("push another message", "amy", PROJECT, "HEAD:refs/for/main%m=Better_words")
    side.propose("wip", "amy", PROJECT, message("Try", "wip"), {"wip.txt": "1\n"}, ref="refs/for/main%wip,topic=tries")
    side.propose("stable", "amy", PROJECT, message("Fix", "stable"), {"src/a.py": "a = 2\n" * 20},
                 ref="refs/for/stable%r=ben,hashtag=fix,l=Code-Review+1", onto="first")  # fmt: skip
    side.propose("options", "amy", PROJECT, message("Opt", "options"), {"opt.txt": "1\n"},
                 options=("topic=by-option", "hashtag=a", "cc=ben"))  # fmt: skip
    bad = {
        "without Change-Id": ("Add bad\n", "refs/for/main"),
        "Change-Id in the middle": (f"Add bad\n\nChange-Id: {change_id('mid')}\n\nMore words.\n", "refs/for/main"),
        "Change-Id of bad form": ("Add bad\n\nChange-Id: I123\n", "refs/for/main"),
        "two Change-Ids": (f"Add bad\n\nChange-Id: {change_id('a')}\nChange-Id: {change_id('b')}\n", "refs/for/main"),
        "branch that there is not": (message("Add bad", "gone"), "refs/for/gone"),
        "bad option": (message("Add bad", "opt"), "refs/for/main%nonsense=1"),
        "wip and ready": (message("Add bad", "opt"), "refs/for/main%wip,ready"),
        "unknown reviewer": (message("Add bad", "opt"), "refs/for/main%r=nobody"),
        "bad label": (message("Add bad", "opt"), "refs/for/main%l=Nonsense+1"),
        "too high a vote": (message("Add bad", "opt"), "refs/for/main%l=Code-Review+3"),
        "submit without votes": (message("Add bad", "opt"), "refs/for/main%submit"),
        "old draft": (message("Add bad", "opt"), "refs/drafts/main"),
        "refs/changes": (message("Add bad", "opt"), "refs/changes/01/1"),
        "some other reference": (message("Add bad", "opt"), "refs/nonsense/x"),
    }
    for name, (text, ref) in bad.items():
        tree.git("checkout", "-q", "--detach", "origin/main")
        tree.put("bad.txt", f"{name}\n")
        tree.commit(text)
        side.push(f"push {name}", "amy", PROJECT, f"HEAD:{ref}")
    side.push("push nothing new", "amy", PROJECT, "origin/main:refs/for/main")


def reading(side: Side) -> None:
    """What is read of changes."""
    for name in ("one", "two", "wip", "stable", "options"):
        side.ask(f"GET change {name} with everything", "ben", "GET", f"changes/{{{name}}}?{READ_ALL}")
    side.ask("GET change as Zuul does", "ben", "GET", f"changes/{{one}}?{ZUUL}")
    for path in ("", "/detail", "/topic", "/hashtags", "/messages", "/comments", "/drafts", "/reviewers", "/attention",
                 "/suggest_reviewers?q=b", "/submitted_together?o=NON_VISIBLE_CHANGES", "/edit", "/check", "/in",
                 "/pure_revert", "/custom_keyed_values", "/robotcomments", "/message", "/ported_comments"):  # fmt: skip
        side.ask(f"GET changes/N{path}", "ben", "GET", f"changes/{{one}}{path}")
    for path in (
        "review",
        "commit",
        "commit?links",
        "related",
        "files",
        "files?parent=1",
        "files?base=1",
        "actions",
        "mergeable",
        "submit_type",
        "patch",
        "description",
        "comments",
        "drafts",
        "reviewers",
        "mergelist",
        "files/one.txt/content",
        "files/one.txt/diff",
        "files/one.txt/diff?base=1",
        "files/%2FCOMMIT_MSG/diff",
        "files/one.txt/blame",
        "files/gone/content",
        "ported_comments",
        "ported_drafts",
        "robotcomments",
    ):
        side.ask(f"GET revisions/current/{path}", "ben", "GET", f"changes/{{one}}/revisions/current/{path}")
    side.ask("GET revisions/1/files", "ben", "GET", "changes/{one}/revisions/1/files")
    side.ask("GET stable diff", "ben", "GET", "changes/{stable}/revisions/1/files/src%2Fa.py/diff?intraline")
    side.ask("GET a change that there is not", "ben", "GET", "changes/99999")
    side.ask("GET a patch set that there is not", "ben", "GET", "changes/{one}/revisions/9/commit")
    side.ask("GET with an unknown option", "ben", "GET", "changes/{one}?o=NONSENSE")
    side.ask("GET change by triplet", "ben", "GET", f"changes/{PROJECT}~main~{change_id('one')}")
    side.ask("GET change by project and number", "ben", "GET", f"changes/{PROJECT}~{{one}}")
    side.ask("GET change by Change-Id", "ben", "GET", f"changes/{change_id('one')}")


def querying(side: Side, when: str) -> None:
    """Queries, over REST and over SSH."""
    queries = (
        f"project:{PROJECT}", f"project:{PROJECT} status:open branch:main", "owner:self", "reviewer:self", "is:wip",
        "topic:by-option", "hashtag:fix", f"change:{change_id('one')}", "commit:{one3}", "message:Why", "file:one.txt",
        "path:one.txt", "label:Code-Review=1", "status:merged", "status:abandoned", "-status:open", "is:reviewed",
        "has:draft", "age:1d", f"project:{PROJECT} limit:2", "nonsense:x", "status:nonsense", "(status:open", "tr:1",
        "intopic:by", "subject:one", "is:submittable", "attention:self", "added:>1", "cc:self", "uploader:self",
    )  # fmt: skip
    for query in queries:
        path = "changes/?q=" + query.replace(" ", "+").replace(">", "%3E").replace("(", "%28")
        side.ask(f"query {query} ({when})", "amy", "GET", path)
    side.ask(f"two queries ({when})", "amy", "GET", f"changes/?q=project:{PROJECT}&q=is:wip")
    side.ask(f"a page ({when})", "amy", "GET", f"changes/?q=project:{PROJECT}&n=2&S=1&o=CURRENT_REVISION")
    for name in ("one", "two", "stable"):
        side.ssh(f"gerrit query {name} ({when})", "amy", f"{QUERY} change:{{{name}}}")
    side.ssh(f"gerrit query of nothing ({when})", "amy", "gerrit query --format=JSON project:gone")
    side.ssh(f"gerrit query of nonsense ({when})", "amy", "gerrit query --format=JSON nonsense:x")


def reviewing(side: Side) -> None:
    """Votes, comments, drafts, reviewers, topics."""
    side.ask("review with a message", "ben", "POST", "changes/{one}/revisions/current/review",
             {"message": "Nice.", "labels": {"Code-Review": 1}})  # fmt: skip
    comments = {
        "one.txt": [
            {"line": 1, "message": "A line.", "unresolved": False},
            {"message": "A file."},
            {"range": {"start_line": 1, "start_character": 0, "end_line": 1, "end_character": 1}, "message": "Range."},
        ],
        "/PATCHSET_LEVEL": [{"message": "The whole."}],
        "/COMMIT_MSG": [{"line": 7, "message": "A word."}],
    }
    side.ask("review with comments", "ben", "POST", "changes/{one}/revisions/current/review",
             {"comments": comments, "tag": "autogenerated:ci", "labels": {"Verified": 1}})  # fmt: skip
    bad = {
        "an unknown label": {"labels": {"Nonsense": 1}}, "too high a vote": {"labels": {"Code-Review": 9}},
        "a file that there is not": {"comments": {"gone.txt": [{"line": 1, "message": "x"}]}},
        "a line below one": {"comments": {"one.txt": [{"line": -1, "message": "x"}]}},
        "an unknown reviewer": {"reviewers": [{"reviewer": "nobody"}]}, "labels of a wrong type": {"labels": 1},
        "nothing": {}, "an unknown notify": {"notify": "NONSENSE"},
    }  # fmt: skip
    for name, body in bad.items():
        side.ask(f"review with {name}", "ben", "POST", "changes/{one}/revisions/current/review", body)
    side.ask("review of what there is not", "ben", "POST", "changes/99999/revisions/current/review", {"message": "x"})
    side.ask("review as a stranger", "", "POST", "changes/{one}/revisions/current/review", {"message": "x"})
    draft = side.ask("PUT a draft", "ben", "PUT", "changes/{two}/revisions/current/drafts",
                     {"path": "two.txt", "line": 1, "message": "Hm.", "unresolved": True})  # fmt: skip
    side.ask("GET drafts", "ben", "GET", "changes/{two}/drafts")
    if isinstance(draft.value, dict):
        side.ask("PUT the draft again", "ben", "PUT", f"changes/{{two}}/revisions/current/drafts/{draft.value['id']}",
                 {"path": "two.txt", "line": 1, "message": "Hm!", "unresolved": True})  # fmt: skip
    side.ask("publish drafts", "ben", "POST", "changes/{two}/revisions/current/review",
             {"drafts": "PUBLISH_ALL_REVISIONS", "message": "See inside."})  # fmt: skip
    found = side.ask("GET comments of two", "amy", "GET", "changes/{two}/comments").value
    said = found["two.txt"][0]["id"] if isinstance(found, dict) and "two.txt" in found else "none"
    side.ask(
        "answer a comment",
        "amy",
        "POST",
        "changes/{two}/revisions/current/review",
        {"comments": {"two.txt": [{"line": 1, "message": "Done", "in_reply_to": said, "unresolved": False}]}},
    )
    attending(side)


def attending(side: Side) -> None:
    """Reviewers, topics, hashtags, attention, stars, states; and reviews over SSH."""
    side.ask("add a reviewer", "amy", "POST", "changes/{two}/reviewers", {"reviewer": "ben"})
    side.ask("add a reviewer again", "amy", "POST", "changes/{two}/reviewers", {"reviewer": "ben"})
    side.ask("add a CC", "amy", "POST", "changes/{one}/reviewers", {"reviewer": "admin", "state": "CC"})
    side.ask("add nobody", "amy", "POST", "changes/{two}/reviewers", {"reviewer": "nobody"})
    side.ask("GET a reviewer", "amy", "GET", "changes/{one}/reviewers/ben")
    side.ask("GET a reviewer's votes", "amy", "GET", "changes/{one}/reviewers/ben/votes")
    side.ask("delete a vote", "ben", "DELETE", "changes/{one}/reviewers/ben/votes/Verified")
    side.ask("delete a vote that there is not", "ben", "DELETE", "changes/{one}/reviewers/ben/votes/Workflow")
    side.ask("remove a reviewer", "amy", "DELETE", "changes/{two}/reviewers/ben")
    side.ask("set the topic", "amy", "PUT", "changes/{one}/topic", {"topic": "news"})
    side.ask("delete the topic", "amy", "DELETE", "changes/{one}/topic")
    side.ask("set hashtags", "amy", "POST", "changes/{one}/hashtags", {"add": ["x", "#y"], "remove": ["z"]})
    side.ask("add attention", "amy", "POST", "changes/{two}/attention", {"user": "ben", "reason": "Look"})
    side.ask("remove attention", "amy", "DELETE", "changes/{two}/attention/ben", {"reason": "No"})
    side.ask("star", "amy", "PUT", "accounts/self/starred.changes/{one}")
    side.ask("unstar", "amy", "DELETE", "accounts/self/starred.changes/{one}")
    side.ask("mark a file as reviewed", "ben", "PUT", "changes/{one}/revisions/current/files/one.txt/reviewed")
    side.ask("GET reviewed files", "ben", "GET", "changes/{one}/revisions/current/files?reviewed")
    side.ask("describe a patch set", "amy", "PUT", "changes/{one}/revisions/current/description", {"description": "D"})
    side.ask("set ready", "amy", "POST", "changes/{wip}/ready", {"message": "Now"})
    side.ask("set wip", "amy", "POST", "changes/{wip}/wip", {})
    side.ask("set wip again", "amy", "POST", "changes/{wip}/wip", {})
    side.ask("set private", "amy", "POST", "changes/{options}/private", {})
    side.ask("GET a private change of somebody else", "admin", "GET", "changes/{options}")
    side.ask("set public", "amy", "DELETE", "changes/{options}/private")
    side.ssh("gerrit review", "ben", "gerrit review --label Code-Review=1 -m 'By hand' {two},1")
    side.ssh("gerrit review of what there is not", "ben", "gerrit review -m x 99999,1")
    side.ssh("gerrit set-topic", "amy", "gerrit set-topic {two} -t talk")
    side.ssh("gerrit set-reviewers", "amy", "gerrit set-reviewers -a ben {two}")


def finishing(side: Side) -> None:
    """Abandon, restore, rebase, cherry-pick, submit, revert."""
    side.ask("abandon", "amy", "POST", "changes/{wip}/abandon", {"message": "No"})
    side.ask("abandon again", "amy", "POST", "changes/{wip}/abandon", {})
    side.ask("restore", "amy", "POST", "changes/{wip}/restore", {"message": "Yes"})
    side.ask("restore again", "amy", "POST", "changes/{wip}/restore", {})
    side.ask("submit without votes", "ben", "POST", "changes/{one}/submit", {})
    side.ask("submit wip", "ben", "POST", "changes/{wip}/submit", {})
    side.ask("approve", "ben", "POST", "changes/{one}/revisions/current/review",
             {"labels": {"Code-Review": 2, "Verified": 2, "Workflow": 1}})  # fmt: skip
    side.ask("GET the approved change", "amy", "GET", f"changes/{{one}}?{READ_ALL}")
    side.ask("submit", "ben", "POST", "changes/{one}/submit", {})
    side.ask("submit again", "ben", "POST", "changes/{one}/submit", {})
    side.ask("GET the merged change", "amy", "GET", f"changes/{{one}}?{READ_ALL}")
    side.ask("abandon what is merged", "amy", "POST", "changes/{one}/abandon", {})
    side.ask("vote on what is merged", "amy", "POST", "changes/{one}/revisions/current/review",
             {"labels": {"Code-Review": 2}})  # fmt: skip
    side.ask("rebase", "amy", "POST", "changes/{options}/rebase", {})
    side.ask("rebase again", "amy", "POST", "changes/{options}/rebase", {})
    side.ask("cherry-pick", "amy", "POST", "changes/{two}/revisions/current/cherrypick",
             {"message": message("Pick two", "picked"), "destination": "stable"})  # fmt: skip
    side.ask("cherry-pick to nowhere", "amy", "POST", "changes/{two}/revisions/current/cherrypick",
             {"message": "x", "destination": "gone"})  # fmt: skip
    side.ask("revert", "amy", "POST", "changes/{one}/revert", {})
    side.ask("revert what is open", "amy", "POST", "changes/{two}/revert", {})
    side.ask("move", "amy", "POST", "changes/{wip}/move", {"destination_branch": "stable"})
    side.ask("create a change", "amy", "POST", "changes/", {"project": PROJECT, "branch": "main", "subject": "Made"})
    side.ask(
        "create a change nowhere", "amy", "POST", "changes/", {"project": "gone", "branch": "main", "subject": "M"}
    )
    side.ask("edit a file", "amy", "PUT", "changes/{two}/edit/two.txt", "two\n")
    side.ask("GET the edit", "amy", "GET", "changes/{two}/edit?list")
    side.ask("publish the edit", "amy", "POST", "changes/{two}/edit:publish", {})
    side.ask("set the message", "amy", "PUT", "changes/{two}/message",
             {"message": message("Add two, really", "two")})  # fmt: skip
    side.ask("delete a change", "amy", "DELETE", "changes/{wip}")
    side.ask("GET the deleted change", "amy", "GET", "changes/{wip}")


def over_ssh(side: Side) -> None:
    """Commands of administrators and of bots."""
    for command in ("version", "ls-projects", "ls-groups", "plugin ls --format json", "nonsense"):
        side.ssh(f"gerrit {command}", "admin", f"gerrit {command}")
    side.ssh("ls-members", "admin", "gerrit ls-members Administrators")
    side.ssh("create-branch", "admin", f"gerrit create-branch {PROJECT} by-ssh main")
    side.ssh("create-group", "admin", "gerrit create-group bots")
    side.ssh("set-members", "admin", "gerrit set-members --add ben bots")
    side.ssh("create-account", "admin", "gerrit create-account --full-name Dee --email dee@example.com dee")
    side.ssh("create-account again", "admin", "gerrit create-account dee")
    side.ssh("create-project by ssh", "admin", "gerrit create-project by-ssh --empty-commit")
    side.ssh("create-project by somebody", "amy", "gerrit create-project by-amy")
    side.ssh("set-hashtags", "amy", "gerrit set-hashtags {two} -a seen")


def act(side: Side) -> list[dict[str, object]]:
    """The whole play; the events that the server told meanwhile."""
    people(side)
    stream = Stream(side, "admin")
    try:
        for turn in itertools.count():  # until the stream, which connects beside, is there
            assert side.call("admin", "PUT", f"projects/warm-{os.getpid()}-{turn}", {}).status == 201
            if stream.hears(f"warm-{os.getpid()}-{turn}", 2.0):
                break
        before = len(stream.events)
        project(side)
        keeping(side)
        server(side)
        pushing(side)
        reading(side)
        querying(side, "pushed")
        reviewing(side)
        querying(side, "reviewed")
        finishing(side)
        querying(side, "finished")
        over_ssh(side)
        assert side.call("admin", "PUT", "projects/curtain", {}).status == 201
        assert stream.hears("curtain"), "the end of the play was not told"
        return stream.events[before:]
    finally:
        stream.close()
