"""The survey on a phone without scripts, and the pages on which customers are called."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import ENGLISH
from tests.browser.looking import DESKTOP, PHONE, SCHEMES, Lang, Reader, Seen
from tests.harness.product import COMPLAINT, Product, eventually, somebody

SHOTS = os.environ.get("REDRESS_SCREENSHOTS")
"""A folder, where somebody wants to look at the pages."""

# The product's policy, but customers are asked after a second, and who wrote by chat is to be
# called after three.
_QUICK = """
  - name: quick
    when: {channel: chat}
    targets: {follow_up: 5 minutes}
  - name: all
"""


@dataclass(frozen=True)
class Asked:
    """Surveys and a call-back: paths of pages."""

    zh: str
    en: str
    answered: str
    call: str


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product that asks at once."""
    home = tmp_path_factory.mktemp("asked")
    text = (files("services.workflow_service.clocks") / "policy.yaml").read_text(encoding="utf-8")
    text = text.replace("name: company", "name: quick").replace("24 hours}", "1 second}")
    text = text.replace("call_back_at: 75%", "call_back_at: 1%")
    text = text.replace("\n  - name: all\n", _QUICK)
    (home / "policy.yaml").write_text(text, encoding="utf-8")
    product = Product.embedded(home, {"REDRESS_POLICY_FILE": str(home / "policy.yaml")})
    with product:
        yield product


@pytest.fixture(scope="module")
def asked(quick: Product) -> Asked:
    """Four customers: two to answer, one who did, and one to be called."""
    chinese = {"description": "周三收到的订单少了两件。", "customer": somebody()}
    zh = _resolved(quick, COMPLAINT | chinese)
    answered = _resolved(quick, COMPLAINT | chinese | {"customer": somebody()})
    en = _resolved(quick, ENGLISH)
    call = _resolved(quick, COMPLAINT | chinese | {"customer": somebody(), "channel": "chat"})
    path = _link(quick, answered)
    form = {"score": "2", "text": "等了三天才有人接。\n补发的还是少一件。", "wants_call": "yes"}
    assert quick.request("POST", path, data=form).status_code == 303
    (task,) = eventually(
        lambda: quick.get("/v1/callbacks", state="open", complaint_id=call)["items"],
        what="the customer is to be called",
    )
    note = {"result": "no_answer", "note": "响了很久，没人接。"}
    quick.post(f"/v1/callbacks/{task['id']}/attempts", note)
    return Asked(_link(quick, zh), _link(quick, en), path, f"/callbacks/{task['id']}")


def _resolved(product: Product, body: dict[str, object]) -> str:
    case = str(product.post("/v1/complaints", body)["id"])
    eventually(lambda: product.case(case), what="the case is open")
    product.act(case, "resolve", summary="两件已补发。")
    return case


def _link(product: Product, case: str) -> str:
    number = product.case(case)["number"]

    def found() -> str:
        for file in sorted((product.home / "outbox").iterdir()):
            text = file.read_text(encoding="utf-8")
            link = re.search(r"/survey/[\w-]{22}", text)
            if link and number in text:
                return link.group()
        return ""

    return eventually(found, what="the survey is sent")


@pytest.fixture
def patient(browser: Browser, quick: Product) -> Iterator[Reader]:
    """Somebody who reads these pages."""
    reader = Reader(browser, quick.urls["intake"])
    yield reader
    reader.leave()


def test_a_customer_answers_on_a_phone_without_scripts(patient: Reader, asked: Asked) -> None:
    page = patient.sit_down("zh-CN", PHONE, scripts=False)
    page.goto(f"{asked.zh}?score=4")
    assert page.is_checked("#score-4")

    page.fill("#text", "补发很快。")
    page.click("form button")

    assert "您的评价已记录：满意" in page.inner_text("[role=status]")
    assert "补发很快。" in page.inner_text("blockquote")
    targets = {link.get_attribute("href") or "" for link in page.query_selector_all("a[href]")}
    assert all(re.match(r"#|/survey/|http://[^/]+/track/", target) for target in targets), targets


def test_without_a_choice_the_error_stands_beside_the_choices(
    patient: Reader, asked: Asked
) -> None:
    page = patient.sit_down("en", PHONE, scripts=False)
    page.goto(asked.en)

    page.fill("#text", "Nobody called me.")
    page.click("form button")

    assert "Please choose one of the five." in page.inner_text(".error-summary")
    page.click(".error-summary a")
    assert page.evaluate("document.activeElement.id") == "score-5"
    assert page.input_value("#text") == "Nobody called me."


def test_an_agent_enters_answers_by_keyboard(patient: Reader, asked: Asked) -> None:
    page = patient.sit_down("zh-CN", DESKTOP, scripts=False)
    page.goto(asked.call)

    page.click("form[action$=attempts] button")
    assert "请选择通话结果" in page.inner_text(".error-summary")
    page.check("#result-later")
    page.click("form[action$=attempts] button")

    assert "请填写客户约定的时间" in page.inner_text(".error-summary")
    assert page.is_checked("#result-later")


VIEWS = ("zh", "en", "answered", "call")


@pytest.fixture(params=[(view, lang) for view in (*VIEWS, "list") for lang in ("zh-CN", "en")])
def seen(request: pytest.FixtureRequest, patient: Reader, asked: Asked) -> Seen:
    """A page as it was found, in one language."""
    view, lang = request.param
    path = "/callbacks" if view == "list" else getattr(asked, view)
    if SHOTS:
        _take(patient, path, lang, Path(SHOTS) / f"{view}-{lang}")
    # A customer's page keeps to the customer's language until they choose another.
    return patient.look(f"{path}?lang={lang}", lang)


def test_a_page_is_sound(seen: Seen) -> None:
    assert seen.troubles == []
    assert seen.too_wide == {"desktop": [], "phone": []}
    assert seen.structure == []
    assert seen.contrast == {"light": [], "dark": []}


def _take(patient: Reader, path: str, lang: Lang, name: Path) -> None:
    for scheme in SCHEMES:
        page: Page = patient.sit_down(lang, PHONE)
        page.emulate_media(color_scheme=scheme)
        page.goto(f"{path}?lang={lang}")
        page.screenshot(path=f"{name}-{scheme}.png", full_page=True)
