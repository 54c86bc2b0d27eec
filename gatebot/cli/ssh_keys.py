# SPDX-License-Identifier: Apache-2.0
"""`gatebot ssh-key ...`: the public keys by which SSH knows you.

A client of Gerrit's REST. A private key is never sent, not even by mistake.
"""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import Unavailable
from .output import Output, quote

_OF = click.option("--of", "username", default="self", metavar="USERNAME", help="Whose keys; default: your own.")


@click.group("ssh-key")
def ssh_key() -> None:
    """Add, list and delete the public keys by which SSH knows you."""


@ssh_key.command("add")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_OF
@click.pass_obj
def add(out: Output, file: Path, username: str) -> None:
    """Let a public key open the account. FILE may be ~/.ssh/id_ed25519.pub."""
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise Unavailable(f"{file} cannot be read: {why}.") from None
    if "PRIVATE KEY" in text:
        raise click.UsageError(f"{file} is a private key, which nobody else should see. Name its .pub file.")
    client, place = out.client(), f"/accounts/{quote(username)}/sshkeys"
    before = {key["encoded_key"] for key in client.get(place)}
    made = client.call("POST", place, {"ssh_key": text})
    key = f"{made['algorithm']} {made.get('comment', '')}".rstrip()
    known = made["encoded_key"] in before
    out.text(made, [f"This key is there already, as key {made['seq']}: {key}" if known else
                    f"Key {made['seq']} added: {key}"])  # fmt: skip


@ssh_key.command("list")
@_OF
@click.pass_obj
def list_keys(out: Output, username: str) -> None:
    """List the keys."""
    found = out.client().get(f"/accounts/{quote(username)}/sshkeys")
    rows = [(key["seq"], key["algorithm"], key["encoded_key"][-20:], key.get("comment", "")) for key in found]
    out.table(found, rows, ("number", "algorithm", "ends with", "comment"),
              "No keys. Add one with: gatebot ssh-key add ~/.ssh/id_ed25519.pub")  # fmt: skip


@ssh_key.command("delete")
@click.argument("number", type=int)
@_OF
@click.pass_obj
def delete(out: Output, number: int, username: str) -> None:
    """Make a key useless."""
    out.client().call("DELETE", f"/accounts/{quote(username)}/sshkeys/{number}")
    out.text({"seq": number}, [f"Key {number} deleted."])
