"""Policies as callers see them, and what another one would mean."""

from __future__ import annotations

from datetime import datetime
from importlib.resources import files
from typing import Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from services.workflow_service.calendars.schemas import DifferenceView, WhatIfView
from services.workflow_service.cases.domain.what_if import WhatIf
from services.workflow_service.clocks.domain.pack import Pack, Words
from services.workflow_service.clocks.repository import StoredPolicy

EXAMPLE = (files("services.workflow_service.clocks") / "policy.yaml").read_text(encoding="utf-8")

_POLICY: JsonDict = {
    "name": "company",
    "version": 2,
    "loaded_at": "2026-11-01T08:00:00Z",
    "by": "product",
    "document": "name: company\nversion: 2\n…",
}


class InBoth(BaseModel):
    """The same words in both languages."""

    model_config = ConfigDict(populate_by_name=True)

    zh: str = Field(alias="zh-CN")
    en: str


def _both(words: Words) -> InBoth:
    return InBoth(zh=words.zh, en=words.en)


class PolicyView(BaseModel):
    """One version of a policy, as it was loaded."""

    model_config = ConfigDict(json_schema_extra={"example": _POLICY})

    name: str
    version: int
    loaded_at: datetime
    by: str
    document: str

    @classmethod
    def of(cls, stored: StoredPolicy) -> Self:
        """Show a policy version."""
        return cls(
            name=stored.policy.name,
            version=stored.policy.version,
            loaded_at=stored.loaded_at,
            by=stored.by,
            document=stored.document,
        )


class PolicyList(BaseModel):
    """Versions of a policy, the newest first."""

    model_config = ConfigDict(json_schema_extra={"example": {"items": [_POLICY]}})

    items: list[PolicyView]


class DeadlineView(BaseModel):
    """One deadline: the kind of its clock, what it is called, and what its rule says."""

    kind: str
    title: InBoth
    cites: str
    says: InBoth
    met_by: str


class PackView(BaseModel):
    """The deadlines of one rule or regulator; `checked` says how far its text was compared."""

    name: str
    version: int
    title: InBoth
    source: str
    checked: InBoth
    calendar: str
    deadlines: list[DeadlineView]

    @classmethod
    def of(cls, pack: Pack) -> Self:
        """Show a pack."""
        return cls(
            name=pack.name,
            version=pack.version,
            title=_both(pack.title),
            source=pack.source,
            checked=_both(pack.checked),
            calendar=pack.calendar,
            deadlines=[
                DeadlineView(
                    kind=pack.kind_of(deadline),
                    title=_both(deadline.title),
                    cites=deadline.cites,
                    says=_both(deadline.says),
                    met_by=deadline.met_by,
                )
                for deadline in pack.deadlines
            ],
        )


_TITLE: JsonDict = {"zh-CN": "电信用户投诉", "en": "Telecoms in China"}


class PackList(BaseModel):
    """The packs that a policy can switch on."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "items": [
                    {
                        "name": "cn-telecoms",
                        "version": 1,
                        "title": _TITLE,
                        "source": "电信用户申诉处理办法（工业和信息化部令第35号）",
                        "checked": _TITLE,
                        "calendar": "cn",
                        "deadlines": [
                            {
                                "kind": "cn-telecoms.answer",
                                "title": _TITLE,
                                "cites": "电信用户申诉处理办法 第十条",
                                "says": _TITLE,
                                "met_by": "resolve",
                            }
                        ],
                    }
                ]
            }
        }
    )

    items: list[PackView]


class PolicyEditView(BaseModel):
    """What loading made; `open_cases` with a dry run, which loads nothing."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "policy": "company@3",
                "changed": True,
                "dry_run": True,
                "open_cases": {
                    "looked_at": 120,
                    "changed_cases": 7,
                    "changed_clocks": {"resolve": 7},
                    "earlier": 7,
                    "later": 0,
                    "truncated": False,
                    "items": [
                        {
                            "case_id": "01938f5e-7c2a-7d5e-9d8b-3f6f0c1a2b3c",
                            "number": "7K3F-9Q2M-X",
                            "clock": "resolve",
                            "before": "2026-11-26T04:00:00Z",
                            "after": "2026-11-25T04:00:00Z",
                        }
                    ],
                },
            }
        }
    )

    policy: str
    changed: bool
    dry_run: bool
    open_cases: WhatIfView | None = None


def what_if_view(found: WhatIf) -> WhatIfView:
    """Show what would change in open cases."""
    return WhatIfView(
        looked_at=found.looked_at,
        changed_cases=found.changed_cases,
        changed_clocks=dict(found.changed_clocks),
        earlier=found.earlier,
        later=found.later,
        truncated=found.truncated,
        items=[
            DifferenceView(
                case_id=one.case_id,
                number=one.number,
                clock=one.clock,
                before=one.before,
                after=one.after,
            )
            for one in found.shown
        ],
    )
