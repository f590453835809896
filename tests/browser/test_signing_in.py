"""The door: a key made on the machine opens the pages in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser

from shared.http.access import Role
from shared.http.keys import KeyStore
from shared.kernel.settings import CommonSettings
from tests.browser.looking import PHONE, Reader
from tests.harness.product import Product


@dataclass(frozen=True)
class Locked:
    """A product that wants a key, and the key."""

    product: Product
    key: str


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Locked]:
    home = tmp_path_factory.mktemp("locked")
    key = KeyStore(CommonSettings(home=home).keys_path).create(role=Role.ADMIN, name="test")
    with Product.embedded(home) as product:
        yield Locked(product, key)


@pytest.fixture
def stranger(browser: Browser, locked: Locked) -> Iterator[Reader]:
    reader = Reader(browser, locked.product.urls["intake"])
    yield reader
    reader.leave()


def test_a_key_opens_the_page_that_was_asked_for(stranger: Reader, locked: Locked) -> None:
    page = stranger.sit_down("en", PHONE, scripts=False)
    page.goto("/dashboard")
    assert "/sign-in" in page.url

    page.fill("#key", locked.key)
    page.click("main button")

    assert page.url == f"{stranger.url}/dashboard"
    assert page.inner_text("h1") == "Dashboard"
    page.click("text=Sign out")
    page.goto("/dashboard")
    assert "/sign-in" in page.url


def test_a_wrong_key_is_refused_beside_the_field(stranger: Reader) -> None:
    page = stranger.sit_down("zh-CN", scripts=False)
    page.goto("/sign-in?next=/outbox")

    page.fill("#key", "rk_wrong")
    page.click("main button")

    assert page.is_visible(".error-summary a[href='#key']")
    assert page.is_visible("#key-error")
    assert page.get_attribute("#key", "aria-invalid") == "true"
