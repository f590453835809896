"""The one MetaData of intake's tables; the features' `models.py` hang theirs on it."""

from __future__ import annotations

from sqlalchemy import MetaData

metadata = MetaData()
