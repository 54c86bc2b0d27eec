# SPDX-License-Identifier: Apache-2.0
"""`gatebot secret ...`: values encrypted for a project.

A value is encrypted on this machine with the project's public key, which the site gives to everybody.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from urllib.parse import quote

import click

from ..errors import Invalid
from .output import Output
from .tenants import TENANT, tenant_of


@click.group()
def secret() -> None:
    """Encrypt values for jobs of a project."""


@secret.command("encrypt")
@click.option("--project", required=True, help="The project whose jobs may use it.")
@TENANT
@click.option("--name", default="NAME", help="What the secret is to be called.")
@click.option("--field", default="FIELD", help="The key of the value in the secret.")
@click.option("--zuul", is_flag=True, help="In Zuul's format, for a project that a Zuul gates too.")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False)
@click.pass_obj
def encrypt(out: Output, project: str, tenant: str, name: str, field: str, zuul: bool, file: Path | None) -> None:
    """Encrypt FILE, or what is typed. It prints YAML for the project's configuration.

    What is typed is taken without the blanks and line ends around it, a file byte for byte.

    Example: echo s3same | gatebot secret encrypt --project demo/api --name deploy --field password
    """
    from ..keys import boxes, oaep

    data = file.read_bytes() if file is not None else sys.stdin.buffer.read().strip()
    try:
        data.decode()
    except UnicodeDecodeError:
        raise Invalid("Secrets are text. Encode it first: base64 FILE | gatebot secret encrypt ...") from None
    client = out.client()
    at = f"/api/tenant/{tenant_of(client, tenant)}"
    own = str(client.get(f"{at}/project/{quote(project)}")["name"])  # a box is sealed for the name without the host
    key = "".join(client.text_lines(f"{at}/{'key' if zuul else 'sealing-key'}/{quote(own)}.pub"))
    chunks = oaep.encrypt(key, data) if zuul else (boxes.encrypt(key, own, data),)
    kind = oaep.KIND if zuul else boxes.KIND
    text = _yaml(name, field, kind, chunks)
    out.text({"project": own, "kind": kind, "chunks": chunks, "yaml": text}, [text])


def _yaml(name: str, field: str, kind: str, chunks: tuple[str, ...]) -> str:
    head = f"- secret:\n    name: {name}\n    data:\n      {field}: !encrypted/{kind}"
    if len(chunks) == 1:
        return f"{head} |\n" + textwrap.fill(chunks[0], 100, initial_indent=" " * 8, subsequent_indent=" " * 8)
    return f"{head}\n" + "\n".join(
        textwrap.fill(chunk, 100, initial_indent=" " * 8 + "- ", subsequent_indent=" " * 10) for chunk in chunks
    )
