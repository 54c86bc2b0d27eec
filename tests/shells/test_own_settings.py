# SPDX-License-Identifier: Apache-2.0
"""The page on which people keep what is theirs: here, their SSH keys, added and deleted with a browser."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.fakes.pages import PASSWORD, WebHouse


def new_key(comment: str) -> str:
    key = Ed25519PrivateKey.generate().public_key()
    return f"{key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()} {comment}"


async def test_a_key_is_added_on_the_page_and_deleted_again(web: WebHouse) -> None:
    await web.sign_in("bob")
    bob = await web.house.identity.by_username("bob")
    assert bob is not None
    await web.send("/settings/ssh-key", key=new_key("bob@laptop") + "\r\n")
    (known,) = await web.house.identity.ssh_keys(bob.id)
    status, page = await web.send("/settings/ssh-key", key=new_key("bob@<desk>"))
    assert status == 200
    assert f'bob@laptop <code class="quiet">{known.fingerprint}</code>' in page
    assert "bob@&lt;desk&gt;" in page
    assert "is yours now." in page
    _, page = await web.send("/settings/ssh-key", do="delete", number="1")
    assert "The SSH key number 1 is deleted; nobody gets in with it any more." in page
    assert [key.comment for key in await web.house.identity.ssh_keys(bob.id)] == ["bob@<desk>"]


async def test_what_is_no_key_is_refused_in_words_and_nothing_is_changed(web: WebHouse) -> None:
    await web.sign_in("bob")
    _, page = await web.send("/settings/ssh-key", key="-----BEGIN OPENSSH PRIVATE KEY-----\nxyz")
    assert "This is your PRIVATE key. It was not kept, but it has left your machine, so use it no more" in page
    assert "xyz" not in page
    _, page = await web.send("/settings/ssh-key", key="ssh-ed25519")
    assert "This key cannot be used: write one line such as" in page
    _, page = await web.send("/settings/ssh-key", do="delete", number="x")
    assert "There is no SSH key number 0 here" in page
    bob = await web.house.identity.by_username("bob")
    assert bob is not None
    assert await web.house.identity.ssh_keys(bob.id) == ()


async def test_a_wrong_old_password_changes_nothing(web: WebHouse) -> None:
    await web.sign_in("bob")
    _, page = await web.send("/settings/password", old="not this one", new="a longer one")
    assert "✗</span> The old password is wrong; nothing was changed." in page
    _, page = await web.send("/settings/password", old=PASSWORD, new="a longer one")
    assert "✓</span> The password is changed." in page
