"""The metadata that notification's tables are defined on (`messages/models.py`)."""

from __future__ import annotations

from sqlalchemy import MetaData

metadata = MetaData()
