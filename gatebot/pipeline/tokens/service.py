# SPDX-License-Identifier: Apache-2.0
"""Signs the tokens of builds: for builds that were given away here, and for playbooks that list the secret.

What a token says is Zuul's: `sub` is `secret:TENANT/PROJECT/SECRET`. An executor names a playbook, and can choose
nothing that stands in the token.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...assignment import Assignment, Playbook
from ...clock import Clock
from ...keys import Keys
from ..config.secrets import asked_token

_MOST = 10_000


class Issuer:
    """`url` is the site's address, the issuer of its tokens."""

    def __init__(self, keys: Keys, url: str, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self.url = url
        self._given: dict[str, Assignment] = {}

    def expect(self, assignment: Assignment) -> None:
        """A build was given away; its playbooks may ask for tokens."""
        if len(self._given) >= _MOST:
            del self._given[next(iter(self._given))]
        self._given[assignment.build] = assignment

    def forget(self, build: str) -> None:
        """The build is over."""
        self._given.pop(build, None)

    async def issue(self, build: str, fence: int, playbook: Playbook) -> dict[str, str]:
        """The tokens of a playbook that begins now, by the names of the secrets; none for what is not its build's."""
        assignment = self._given.get(build)
        if assignment is None or assignment.fence != fence:
            return {}
        job = assignment.job
        books = (*job.pre_run, *job.run, *job.post_run, *job.cleanup_run)
        if playbook not in books:
            return {}
        wanted = {
            ref.secret: (ref.project, asked) for ref in playbook.secrets if (asked := asked_token(ref)) is not None
        }
        return {
            name: await self._keys.token(self._claims(assignment, playbook, f"{project}/{name}", asked))
            for name, (project, asked) in wanted.items()
        }

    async def published(self) -> dict[str, object]:
        """The public key, for whoever checks tokens."""
        return {"keys": [await self._keys.token_key()]}

    def _claims(
        self, assignment: Assignment, playbook: Playbook, secret: str, asked: Mapping[str, object]
    ) -> dict[str, object]:
        now, ttl, more = int(self._clock.now().timestamp()), asked.get("ttl"), asked.get("claims")
        own: dict[str, object] = {
            "iss": asked.get("iss") or self.url,
            "sub": f"secret:{assignment.tenant}/{secret}",
            "build-uuid": assignment.build,
            "job-name": assignment.job.name,
            "playbook": f"{playbook.project}/{playbook.path}",
            "pipeline": assignment.pipeline,
            "tenant": assignment.tenant,
            "iat": now,
            "exp": now + (ttl if isinstance(ttl, int) else 0),
        }
        return {**(more if isinstance(more, Mapping) else {}), **own}
