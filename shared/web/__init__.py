"""Pages: the renderer, the languages, the one stylesheet, the pages that no service owns."""

from shared.web.pages import Pages

__all__ = ["Pages"]
