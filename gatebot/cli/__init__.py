# SPDX-License-Identifier: Apache-2.0
"""`gatebot noun verb`: the command line, a client of the REST API.

Only what needs no server touches the site's directory itself: init, serve, migrate, backup,
restore, demo, config check, keys, irclog import, meeting replay and check. Exit codes: 0 done, 1 refused or failed,
2 wrong usage, 3 the server cannot be reached.
"""

from __future__ import annotations

import sys

import click

from .. import __version__
from ..errors import GatebotError, Unavailable
from .lazy import Lazy
from .output import Output, printable

_COMMANDS = {
    "autohold": ("autoholds:autohold", "Keep the nodes of failed builds, to look at them."),
    "backup": ("local:backup", "Copy the whole site to TARGET; the server may go on running."),
    "build": ("builds:build", "Look at builds and their logs; stop them."),
    "change": ("changes:change", "Look at changes, vote, recheck, submit, enqueue."),
    "ci": ("third_party:ci", "Look at CIs elsewhere that vote here."),
    "config": ("config_errors:config", "Check configuration, and look at its errors."),
    "demo": ("demo:demo", "Start everything and play a tour: pushes, votes, gate, meeting."),
    "executor": ("executors:executor", "Let other machines run builds for this site."),
    "gerrit": ("gerrit:gerrit", "Move here from a Gerrit."),
    "group": ("groups:group", "Make groups, and say who is in them."),
    "image": ("local:image", "Build and list the root file systems that jobs run on."),
    "init": ("local:init", "Make a new site: settings, database, administrator, pipelines."),
    "irclog": ("irclogs:irclog", "Take IRC logs of other programs into the archive."),
    "job": ("tenants:job", "Look at jobs, and at what would run."),
    "keys": ("project_keys:keys", "Bring, take and list the keys of projects."),
    "meeting": ("replay:meeting", "Make minutes again from a log; check when meetings are planned."),
    "migrate": ("local:migrate", "Bring the site's database to the schema of this version."),
    "node": ("nodes:node", "Look at nodes, labels and providers; enter nodes that are held."),
    "project": ("people:project", "Make, import and list repositories."),
    "queue": ("queues:queue", "Look at the queues; bring changes to their head."),
    "restore": ("local:restore", "Make a site in the new DIRECTORY from the backup in SOURCE."),
    "run": ("running:run", "Run a job on this machine: of this work tree, or of a change."),
    "secret": ("secrets:secret", "Encrypt values for jobs of a project."),
    "semaphore": ("tenants:semaphore", "Look at semaphores: who holds them, who waits."),
    "serve": ("local:serve", "Serve the site in DIRECTORY until stopped (Ctrl-C)."),
    "ssh-key": ("ssh_keys:ssh_key", "Add, list and delete the public keys by which SSH knows you."),
    "status": ("statuses:status", "Tell everybody how the site is, and read what was told."),
    "user": ("people:user", "Make and list accounts."),
    "why": ("changes:why", "Say what a change waits for, who can do it, where it stands."),
}


class _Main(Lazy):
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
    if error.reason is None:
        return printable(str(error))
    from .. import words  # catalogues are read for a reason only: what a server says is a sentence already

    return printable(words.say(error.reason))


@click.group(
    cls=_Main, elsewhere=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="gatebot")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@click.option(
    "--url",
    envvar="GATEBOT_URL",
    metavar="URL",
    help="The site (or GATEBOT_URL, or the site whose directory or clone is here).",
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
