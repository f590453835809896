"""What the import paths answer."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from services.intake_service.channels.domain.progress import Import, ImportState


class ImportAnswer(BaseModel):
    """How an import stands."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0199c0de-0000-7000-8000-000000000001",
                    "state": "completed",
                    "read": 24503,
                    "accepted": 24503,
                    "existing": 0,
                    "rejected": 0,
                    "rejects_url": "http://127.0.0.1:8000/v1/imports/0199c0de-0000-7000-8000-000000000001/rejects",
                    "mapping": "cfpb",
                    "warnings": {},
                    "failure": None,
                    "started_at": "2026-11-22T08:00:00Z",
                    "updated_at": "2026-11-22T08:00:11Z",
                    "ended_at": "2026-11-22T08:00:11Z",
                }
            ]
        }
    )

    id: str
    state: ImportState
    read: int = Field(description="Rows read; the sum of accepted, existing and rejected")
    accepted: int
    existing: int = Field(description="Rows whose source id was recorded before")
    rejected: int = Field(description="Rows in the reject file, each with its reason")
    rejects_url: str
    mapping: str
    warnings: dict[str, int] = Field(description="What was left out of rows that were kept")
    failure: str | None = Field(description="Why a failed import could not be read to its end")
    started_at: datetime
    updated_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, found: Import, *, base_url: str) -> Self:
        """Write a stored import."""
        counts = found.counts
        return cls(
            id=found.id,
            state=found.state,
            read=counts.read,
            accepted=counts.accepted,
            existing=counts.existing,
            rejected=counts.rejected,
            rejects_url=f"{base_url}/v1/imports/{found.id}/rejects",
            mapping=found.mapping,
            warnings=dict(counts.warnings),
            failure=found.failure,
            started_at=found.started_at,
            updated_at=found.updated_at,
            ended_at=found.ended_at,
        )


class MappingAnswer(BaseModel):
    """An uploaded mapping."""

    model_config = ConfigDict(json_schema_extra={"example": {"name": "my-crm", "system": "crm"}})

    name: str
    system: str


class MappingList(BaseModel):
    """The names of all mappings that an import can use."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"items": ["cfpb", "chicago-311", "nyc-311", "zh-messages"]}}
    )

    items: list[str]
