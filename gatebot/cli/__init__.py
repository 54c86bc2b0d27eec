# SPDX-License-Identifier: Apache-2.0
"""`gatebot noun verb`: the command line, a client of the REST API.

Only what needs no server touches the site's directory itself: init, serve, migrate, backup,
restore, demo, config check, keys, meeting replay. Exit codes: 0 done, 1 refused or failed, 2 wrong
usage, 3 the server cannot be reached.
"""

from __future__ import annotations

import sys

import click

from .. import __version__, words
from ..errors import GatebotError, Unavailable
from .output import Output, printable


class _Group(click.Group):
    """Turns our errors into one line on stderr and an exit code; a stack trace is never shown."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """`--json` may stand anywhere, also behind the verb."""
        if "--json" in args:
            args = ["--json", *(given for given in args if given != "--json")]
        return super().parse_args(ctx, args)

    def main(self, *args: object, **kwargs: object) -> object:  # pyright: ignore[reportIncompatibleMethodOverride]
        """As click's, with our errors handled."""
        try:
            return super().main(*args, **{"prog_name": "gatebot"} | kwargs)  # type: ignore[arg-type]  # pyright: ignore
        except Unavailable as error:
            click.echo(f"gatebot: {_told(error)}", err=True)
            sys.exit(3)
        except GatebotError as error:
            click.echo(f"gatebot: {_told(error)}", err=True)
            sys.exit(1)
        except (BrokenPipeError, KeyboardInterrupt):
            sys.exit(1)
        except OSError as error:
            if error.filename is None:
                raise
            click.echo(f"gatebot: {printable(str(error.filename))}: {error.strerror}", err=True)
            sys.exit(1)


def _told(error: GatebotError) -> str:
    return printable(words.say(error.reason) if error.reason is not None else str(error))


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="gatebot")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@click.option(
    "--url", envvar="GATEBOT_URL", metavar="URL", help="The site (or GATEBOT_URL, or the site directory here)."
)
@click.option("--user", envvar="GATEBOT_USER", metavar="NAME", help="Your user name (or GATEBOT_USER).")
@click.pass_context
def main(context: click.Context, as_json: bool, url: str | None, user: str | None) -> None:
    """Code review, a speculative merge gate, CI jobs and a meeting bot in one server.

    \b
    Try it:            gatebot demo
    Your own site:     gatebot init site && gatebot serve site
    Why is it waiting: gatebot why 12

    The password or token is read from GATEBOT_TOKEN, or from `admin.token` of the site directory.
    Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 the server cannot be reached.
    """
    context.obj = Output(as_json=as_json, url=url, user=user)


def _register() -> None:
    from . import (
        autoholds,
        builds,
        changes,
        demo,
        executors,
        given,
        local,
        nodes,
        people,
        queues,
        replay,
        running,
        secrets,
        tenants,
        third_party,
    )

    for command in (
        local.init, local.serve, local.migrate, local.backup, local.restore, local.config, local.image,
        changes.change, changes.why, people.user, people.project, queues.queue, builds.build, replay.meeting, demo.demo,
        secrets.secret, secrets.keys, tenants.job, tenants.semaphore, autoholds.autohold, running.run,
        third_party.ci, executors.executor, nodes.node,
    ):  # fmt: skip
        main.add_command(command)
    builds.build.add_command(given.reproduce)


_register()
