"""Encryption at rest."""

from __future__ import annotations

import base64

import pytest

from shared.kernel.errors import ConfigurationError
from shared.kernel.vault import Undecryptable, Vault, new_master_key

SETTING = "REDRESS_INTAKE_MASTER_KEY"


def test_what_was_encrypted_is_read_with_the_stored_key() -> None:
    vault = Vault.from_setting(SETTING, new_master_key())
    key = vault.new_data_key()

    secret = key.encrypt("王芳 +8613800138000", context="customer.name")

    assert "王芳".encode() not in secret
    opened = vault.open_data_key(key.wrapped)
    assert opened.decrypt(secret, context="customer.name") == "王芳 +8613800138000"


def test_a_ciphertext_opens_only_in_its_own_place() -> None:
    key = Vault.from_setting(SETTING, new_master_key()).new_data_key()
    secret = key.encrypt("wang@example.com", context="customer.email")

    with pytest.raises(Undecryptable):
        key.decrypt(secret, context="customer.phone")


def test_an_altered_ciphertext_is_refused() -> None:
    key = Vault.from_setting(SETTING, new_master_key()).new_data_key()
    secret = bytearray(key.encrypt("wang@example.com", context="customer.email"))
    secret[-1] ^= 1

    with pytest.raises(Undecryptable):
        key.decrypt(bytes(secret), context="customer.email")


def test_another_master_key_opens_nothing() -> None:
    wrapped = Vault.from_setting(SETTING, new_master_key()).new_data_key().wrapped

    with pytest.raises(Undecryptable):
        Vault.from_setting(SETTING, new_master_key()).open_data_key(wrapped)


def test_a_blind_index_finds_the_same_value_of_the_same_kind_only() -> None:
    master = new_master_key()
    vault, again = Vault.from_setting(SETTING, master), Vault.from_setting(SETTING, master)

    assert vault.blind_index("phone", "+8613800138000") == again.blind_index(
        "phone", "+8613800138000"
    )
    assert vault.blind_index("phone", "1") != vault.blind_index("email", "1")


@pytest.mark.parametrize("wrong", ["", "not base64!", base64.b64encode(b"short").decode()])
def test_a_wrong_master_key_names_its_setting(wrong: str) -> None:
    with pytest.raises(ConfigurationError, match=SETTING):
        Vault.from_setting(SETTING, wrong)
