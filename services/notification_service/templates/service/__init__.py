"""Rendering, checking and editing of wordings."""

from services.notification_service.templates.service.rendering import LOCALES, Templates

__all__ = ["LOCALES", "Templates"]
