"""The service's tables hang on one MetaData; each feature adds its own."""

from __future__ import annotations

from sqlalchemy import MetaData

metadata = MetaData()
