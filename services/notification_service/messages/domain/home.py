"""Where the company is at home, and who may read another clock than its own."""

from __future__ import annotations

from dataclasses import dataclass

from services.notification_service.templates.domain.scene import Locale


@dataclass(frozen=True, slots=True)
class Home:
    """The company's language, and how phone numbers of its country begin (`+86`), if any do."""

    locale: Locale
    prefix: str | None

    def is_elsewhere_for(self, locale: Locale, phone: str | None) -> bool:
        """Tell whether a reader of unknown zone may be abroad, by their language or number."""
        if locale != self.locale:
            return True
        return bool(phone and self.prefix and not phone.startswith(self.prefix))
