"""A reader at a page: opens it, watches what it asks for, and says what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Response, ViewportSize

Lang = Literal["zh-CN", "en"]
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, Scheme] = ("light", "dark")

DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 740}
_SOUNDNESS = (Path(__file__).parent / "soundness.js").read_text(encoding="utf-8")


@dataclass
class Watch:
    """What a page complained of and asked for, while it is watched."""

    host: str
    troubles: list[str] = field(default_factory=list)

    def over(self, page: Page) -> Watch:
        """Begin to watch a page."""
        page.on("console", lambda said: self._said(said.type, said.text))
        page.on("pageerror", lambda error: self.troubles.append(f"error {error}"))
        page.on("requestfailed", lambda asked: self.troubles.append(f"failed {asked.url}"))
        page.on("response", self._answered)
        return self

    def _said(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.troubles.append(f"console {kind}: {text}")

    def _answered(self, answer: Response) -> None:
        where = urlsplit(answer.url)
        if where.scheme.startswith("http") and where.netloc != self.host:
            self.troubles.append(f"other host {answer.url}")
        if answer.status >= 400:
            self.troubles.append(f"{answer.status} {answer.url}")


@dataclass(frozen=True)
class Seen:
    """What one page was found to be, in one language."""

    lang: str
    title: str
    text: str
    too_wide: dict[str, list[str]]
    structure: list[str]
    contrast: dict[str, list[str]]
    troubles: list[str]


class Reader:
    """Somebody with a browser, a language and a screen; `scripts=False` for none."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self.url = url
        self._contexts: list[BrowserContext] = []

    def sit_down(
        self, lang: Lang = "en", screen: ViewportSize = DESKTOP, *, scripts: bool = True
    ) -> Page:
        """Return an empty page of a fresh session."""
        context = self._browser.new_context(
            base_url=self.url, viewport=screen, locale=lang, java_script_enabled=scripts
        )
        self._contexts.append(context)
        return context.new_page()

    def leave(self) -> None:
        """Close what was opened."""
        while self._contexts:
            self._contexts.pop().close()

    def look(self, path: str, lang: Lang) -> Seen:
        """Open a page and find what is wrong with it, on a desk and a phone, by day and night."""
        page = self.sit_down(lang)
        watch = Watch(urlsplit(self.url).netloc).over(page)
        page.goto(path)
        if page.query_selector("[data-chart]"):
            page.wait_for_selector("[data-chart=trend] svg")
        seen = self.look_at(page, watch)
        self.leave()
        return seen

    def look_at(self, page: Page, watch: Watch) -> Seen:
        """Find what is wrong with a page as it stands, on a desk and a phone, by day and night."""
        too_wide = {}
        found: dict[str, dict[str, list[str]]] = {}
        for name, screen in (("desktop", DESKTOP), ("phone", PHONE)):
            page.set_viewport_size(screen)
            too_wide[name] = page.evaluate(_TOO_WIDE)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            found[scheme] = page.evaluate(_SOUNDNESS)
        return Seen(
            lang=page.evaluate("document.documentElement.lang"),
            title=page.title(),
            text=page.inner_text("body"),
            too_wide=too_wide,
            structure=found["light"]["structure"],
            contrast={scheme: found[scheme]["contrast"] for scheme in SCHEMES},
            troubles=watch.troubles,
        )


# Who makes the page wider than the screen, if it is.
_TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.querySelectorAll("body *")]
    .filter((each) => each.getBoundingClientRect().right > width + 1)
    .slice(0, 5).map((each) => each.outerHTML.slice(0, 120));
}"""
