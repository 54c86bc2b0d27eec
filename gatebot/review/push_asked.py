# SPDX-License-Identifier: Apache-2.0
"""How to do without a push what was asked for behind a commit that is a patch set already.

Pure. As in Gerrit, options come with a new patch set only; a pusher who changed nothing is told what does the same.
"""

from __future__ import annotations

import json
import shlex

from ..reasons import Reason, reason
from .push_options import Options
from .receive import Existing


def elsewhere(options: Options, existing: Existing, *, ssh: bool) -> Reason | None:
    """Where it is done, None when nothing was asked for: on the page, or by calls; by SSH where there is `ssh`."""
    change, url = existing.change, existing.url
    base = f"{url.removesuffix(change.path)}a/changes/{change.number}"
    calls: list[str] = []
    if options.wip:
        calls.append(f"-X POST {base}/wip")
    if options.private is not None:
        calls.append(f"-X {'POST' if options.private else 'DELETE'} {base}/private")
    if options.topic is not None:
        calls.append(_sent("PUT", {"topic": options.topic}, f"{base}/topic"))
    if options.hashtags:
        calls.append(_sent("POST", {"add": list(options.hashtags)}, f"{base}/hashtags"))
    if calls:
        commands = "\n".join(f"  curl -u NAME {call}" for call in calls)
        if ssh:
            return reason("review.push-asked-ssh", url=url, commands=commands)
        return reason("review.push-asked", url=url, commands=commands)
    on_page = options.wip is False or options.message or options.reviewers or options.cc or options.labels
    if not on_page:
        return None
    return reason("review.push-asked-page-ssh", url=url) if ssh else reason("review.push-asked-page", url=url)


def _sent(method: str, body: dict[str, str | list[str]], address: str) -> str:
    text = shlex.quote(json.dumps(body, ensure_ascii=False))
    return f"-X {method} -H 'Content-Type: application/json' -d {text} {address}"
