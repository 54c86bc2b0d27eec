# SPDX-License-Identifier: Apache-2.0
"""The formats of keys and secrets: Zuul's, with what Zuul's own tools made, and ours."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from gatebot.errors import Invalid, Unavailable
from gatebot.keys import SiteKey, boxes, exports, oaep, tokens
from gatebot.pipeline.config.model import Location
from gatebot.pipeline.config.objects import Secret
from gatebot.pipeline.config.parse import parse_file
from gatebot.pipeline.config.secrets import Cipher, carrying, ciphers, opened, read

DATA = Path(__file__).resolve().parents[1] / "data" / "zuul-secrets"
PEM = (DATA / "private.pem").read_bytes()
PASSWORD = b"keystorepassword"
EXPORT = (DATA / "export.json").read_text()
PATH = "/keystorage/gerrit/org/org%2Fproject2/secrets"
ENTRY = json.loads(EXPORT)["keys"][PATH]


def secret(text: str) -> Secret:
    file = parse_file(text.encode(), Location("org/project2", "main", "zuul.yaml"))
    assert file.errors == ()
    (found,) = file.secrets
    return found


def by_zuuls_key(cipher: Cipher) -> str:
    kind, chunks = cipher
    assert kind == oaep.KIND
    return oaep.decrypt(oaep.load(PEM), chunks).decode()


def test_a_secret_of_zuuls_own_tests_opens_at_any_depth() -> None:
    kept = secret((DATA / "complex.yaml").read_text())
    assert opened(read(carrying(kept)), by_zuuls_key) == {
        "dict": {"username": "test-username", "password": "test-password"},
        "profile": "cloudy",
        "list": ["one", "test-password", "three"],
    }


def test_a_long_value_that_zuul_client_cut_into_chunks_opens_whole() -> None:
    kept = secret((DATA / "long.yaml").read_text())
    ((_, chunks),) = ciphers(dict(kept.data))
    assert len(chunks) == 3
    assert opened(dict(kept.data), by_zuuls_key) == {"text": (DATA / "long.txt").read_text()}


@pytest.mark.parametrize("size", [0, 1, 470, 471, 1500])
def test_what_we_encrypt_in_zuuls_format_has_chunks_that_fit_the_key(size: int) -> None:
    data = bytes(number % 251 for number in range(size))
    chunks = oaep.encrypt(oaep.public(PEM), data)
    assert len(chunks) == max(1, -(-size // 470))
    assert oaep.decrypt(oaep.load(PEM), chunks) == data


def test_chunks_for_another_key_and_chunks_that_are_none_do_not_open() -> None:
    (chunk,) = oaep.encrypt(oaep.public(PEM), b"x")
    for wrong in (chunk[:40] + ("A" if chunk[40] != "A" else "B") + chunk[41:], "AAAA", "no base64!"):
        with pytest.raises(Invalid, match="not encrypted for this project's key"):
            oaep.decrypt(oaep.load(PEM), (wrong,))


def test_a_box_opens_only_for_the_project_it_was_sealed_for_and_only_unchanged() -> None:
    key, other = boxes.make(), boxes.make()
    box = boxes.encrypt(boxes.public(key), "demo/api", b"hush\n" * 2000)
    assert boxes.decrypt(key, "demo/api", box) == b"hush\n" * 2000
    for private, project, wrong in (
        (other, "demo/api", box),
        (key, "demo/web", box),
        (key, "demo/api", box[:100] + ("A" if box[100] != "A" else "B") + box[101:]),
        (key, "demo/api", "AAAA"),
        (key, "demo/api", "no base64!"),
    ):
        with pytest.raises(Invalid, match="not sealed for this project"):
            boxes.decrypt(private, project, wrong)


def test_a_box_for_no_key_is_refused() -> None:
    with pytest.raises(Invalid, match="public key is none"):
        boxes.encrypt("no key", "demo/api", b"x")


def test_zuuls_export_of_keys_is_read_and_what_is_not_used_here_is_counted() -> None:
    found = exports.read(EXPORT, PASSWORD)
    assert list(found.keys) == ["org/project2"]
    assert oaep.public(found.keys["org/project2"]) == oaep.public(PEM)
    assert found.others == 1


def test_an_export_of_ours_has_zuuls_form_and_is_read_again() -> None:
    written = exports.write([("org/project2", PEM, 1_700_000_000)], PASSWORD, "gerrit")
    ours = json.loads(written)["keys"][PATH]["keys"][0]
    theirs = ENTRY["keys"][0]
    assert {**ours, "private_key": ""} == {**theirs, "private_key": ""}
    assert [line.partition(",")[0] for line in ours["private_key"].splitlines()[:3]] == [
        line.partition(",")[0] for line in theirs["private_key"].splitlines()[:3]
    ]
    assert exports.read(written, PASSWORD).keys == {"org/project2": PEM}


@pytest.mark.parametrize(
    ("text", "password", "told"),
    [
        ("no json", PASSWORD, "This is no export of keys"),
        ('{"keys": []}', PASSWORD, "This is no export of keys"),
        (EXPORT, b"wrong", r"org/project2: .*wrong password.*zuul.conf, section \[keystore\]"),
        ('{"keys": {"/keystorage/a/p/p/secrets": {"keys": []}}}', PASSWORD, "entry of p has no private key"),
        (
            json.dumps({"keys": {f"/keystorage/{c}/p/p/secrets": ENTRY for c in ("gerrit", "github")}}),
            PASSWORD,
            r"p has keys on two connections \(gerrit and github\)",
        ),
    ],
)  # fmt: skip
def test_an_export_that_cannot_be_used_says_why(text: str, password: bytes, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        exports.read(text, password)


def test_what_the_sites_key_sealed_opens_only_with_it_and_only_in_its_place(tmp_path: Path) -> None:
    file = tmp_path / "site.key"
    made = SiteKey.make(file)
    assert file.stat().st_mode & 0o777 == 0o600
    sealed = made.seal(b"hush", "a row")
    assert b"hush" not in sealed.encode()
    again = SiteKey.read(file)
    assert again is not None
    assert again.open(sealed, "a row") == b"hush"
    for key, about in ((again, "another row"), (SiteKey.new(), "a row")):
        with pytest.raises(Unavailable, match=f"is not the key that sealed {about}"):
            key.open(sealed, about)


def test_a_file_that_is_no_key_of_a_site_is_refused_and_a_missing_one_is_missing(tmp_path: Path) -> None:
    (tmp_path / "site.key").write_text("short\n")
    with pytest.raises(Unavailable, match="is not the key of a site"):
        SiteKey.read(tmp_path / "site.key")
    assert SiteKey.read(tmp_path / "none") is None


def test_a_token_is_signed_by_the_published_key_and_says_what_it_was_given() -> None:
    head, body, signature = tokens.sign(PEM, {"sub": "secret:main/a/cloud", "exp": 7}).split(".")
    assert json.loads(decoded(body)) == {"sub": "secret:main/a/cloud", "exp": 7}
    published = tokens.jwk(oaep.public(PEM))
    assert json.loads(decoded(head)) == {"alg": "RS256", "typ": "JWT", "kid": published["kid"]}
    numbers = [int.from_bytes(decoded(published[name])) for name in ("e", "n")]
    key = rsa.RSAPublicNumbers(*numbers).public_key()
    key.verify(decoded(signature), f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
