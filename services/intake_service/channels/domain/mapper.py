"""Turn a row of another system into a complaint to be recorded."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from services.intake_service.channels.domain.mapping import MappingFile
from services.intake_service.channels.domain.rows import SourceRow
from services.intake_service.channels.domain.text import clean_text, clean_value
from services.intake_service.complaints.domain.new_complaint import (
    NewComplaint,
    Place,
    References,
    SourceReference,
)
from services.intake_service.customers.domain.contact import Contact
from services.intake_service.triage.domain.taxonomy import OTHER
from shared.events.complaints import Recorded

DESCRIPTION_LIMIT = 20_000
_ID_LIMIT = 500
_LINE_LIMIT = 200
_DATES_KEPT = 4096
# Before this nothing of what is imported can have happened: 1900 and 1970 stand for "no date".
_EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)

ReadPhone = Callable[[str, str], str]
ReadEmail = Callable[[str], str]


class Rejected(Exception):
    """The row cannot be kept truthfully; `reason` is a stable code."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(slots=True)
class Mapped:
    """A row as a complaint; `warnings` name what was left out of it because it cannot be true."""

    complaint: NewComplaint
    warnings: list[str] = field(default_factory=list)


class Mapper:
    """Maps rows by one mapping. `now` bounds what can have happened."""

    def __init__(
        self,
        mapping: MappingFile,
        *,
        now: datetime,
        read_phone: ReadPhone,
        read_email: ReadEmail,
    ) -> None:
        self._mapping = mapping
        self._now = now
        self._read_phone = read_phone
        self._read_email = read_email
        self._empty = frozenset(mapping.empty)
        self._zone = ZoneInfo(mapping.timezone)
        self._dates: dict[str, datetime | None] = {}
        self._templates = [_compile(template) for template in mapping.description]

    def map(self, row: SourceRow) -> Mapped:
        """Return the row's complaint; raises Rejected."""
        read = _Reader(row.values, self._empty)
        mapping, warnings = self._mapping, list[str]()
        source_id = read(mapping.fields.id)
        if not source_id:
            raise Rejected("missing-id", f"{mapping.fields.id} is empty")
        if len(source_id) > _ID_LIMIT:
            raise Rejected("id-too-long", f"{mapping.fields.id} has over {_ID_LIMIT} characters")
        received_at = self._received_at(read)
        complaint = NewComplaint(
            channel=self._channel(read),
            description=self._description(read),
            contact=self._contact(read, warnings),
            source=SourceReference(mapping.system, source_id),
            occurred_at=self._past(read, mapping.fields.occurred_at, None, warnings),
            received_at=received_at,
            references=References(
                order=read(mapping.fields.order)[:_LINE_LIMIT] or None,
                contract=read(mapping.fields.contract)[:_LINE_LIMIT] or None,
                product=read(mapping.fields.product)[:_LINE_LIMIT] or None,
            ),
            place=self._place(read, warnings),
            category=self._category(read),
            imported=True,
            recorded=self._recorded(read, received_at, warnings),
        )
        return Mapped(complaint, warnings)

    def _received_at(self, read: _Reader) -> datetime:
        column = self._mapping.fields.received_at
        text = read(column)
        if not text:
            raise Rejected("missing-date", f"{column} is empty")
        instant = self._instant(text)
        if instant is None:
            raise Rejected("invalid-date", f"{column}: {text!r} is no date of this mapping")
        if instant > self._now:
            raise Rejected("date-in-future", f"{column}: {text} has not come yet")
        if instant < _EARLIEST:
            raise Rejected("impossible-date", f"{column}: {text} stands for no date")
        return instant

    def _past(
        self, read: _Reader, column: str | None, not_before: datetime | None, warnings: list[str]
    ) -> datetime | None:
        """Read a time that may be missing; one that cannot be true is left out with a warning."""
        text = read(column)
        if not text:
            return None
        instant = self._instant(text)
        if instant is None:
            warnings.append("time-unreadable")
        elif instant > self._now:
            warnings.append("time-in-future")
        elif instant < (not_before or _EARLIEST):
            warnings.append("time-before-received")
        else:
            return instant
        return None

    def _instant(self, text: str) -> datetime | None:
        known = self._dates.get(text)
        if known is None and text not in self._dates:
            if len(self._dates) >= _DATES_KEPT:
                self._dates.clear()
            known = self._dates[text] = self._parse(text)
        return known

    def _parse(self, text: str) -> datetime | None:
        for form in self._mapping.dates:
            try:
                found = (
                    datetime.fromisoformat(text) if form == "iso" else datetime.strptime(text, form)  # noqa: DTZ007 - the zone follows
                )
                return (found if found.tzinfo else found.replace(tzinfo=self._zone)).astimezone(UTC)
            except (ValueError, OverflowError):
                continue
        return None

    def _channel(self, read: _Reader) -> str:
        rule = self._mapping.channel
        return rule.table.get(read(rule.column), rule.default).value

    def _description(self, read: _Reader) -> str:
        for template in self._templates:
            text = template(read)
            if text:
                if len(text) > DESCRIPTION_LIMIT:
                    raise Rejected(
                        "description-too-long", f"the text has over {DESCRIPTION_LIMIT} characters"
                    )
                return text
        raise Rejected("missing-description", "no template of the mapping finds a text")

    def _category(self, read: _Reader) -> str | None:
        there = False
        for rule in self._mapping.category:
            if rule.column in read.values:
                there = True
                code = rule.table.get(read(rule.column))
                if code is not None:
                    return code
        return OTHER if there else None

    def _contact(self, read: _Reader, warnings: list[str]) -> Contact:
        columns = self._mapping.customer
        reference = columns.crm_id
        crm_id = read(reference.column) if reference else ""
        tier = (columns.tier or {}).get(read(columns.tier_column))
        return Contact(
            name=read(columns.name)[:_LINE_LIMIT] or None,
            phone=self._phone(read(columns.phone), warnings),
            email=self._email(read(columns.email), warnings),
            crm_id=f"{reference.prefix}{crm_id}"[:_LINE_LIMIT] if reference and crm_id else None,
            tier=tier.value if tier else None,
        )

    def _phone(self, text: str, warnings: list[str]) -> str | None:
        try:
            return self._read_phone(text, self._mapping.phone_region) if text else None
        except ValueError:
            warnings.append("phone-unreadable")
            return None

    def _email(self, text: str, warnings: list[str]) -> str | None:
        try:
            return self._read_email(text) if text else None
        except ValueError:
            warnings.append("email-unreadable")
            return None

    def _place(self, read: _Reader, warnings: list[str]) -> Place:
        fields = self._mapping.fields
        latitude = _degrees(read(fields.latitude), 90)
        longitude = _degrees(read(fields.longitude), 180)
        if latitude is None or longitude is None or (latitude == 0 == longitude):
            if read(fields.latitude) or read(fields.longitude):
                warnings.append("place-unreadable")
            latitude = longitude = None
        return Place(self._region(read), latitude, longitude)

    def _region(self, read: _Reader) -> str | None:
        rule = self._mapping.region
        code = read(rule.column) if rule else ""
        if rule is None or not code:
            return None
        found = rule.table.get(code, code)
        return f"{rule.prefix}{found}"[:64] if found else None

    def _recorded(
        self, read: _Reader, received_at: datetime, warnings: list[str]
    ) -> Recorded | None:
        outcome = self._outcome(read)
        if outcome is None:
            # The source says that it is open: a closing time beside that is the source's fault.
            times = self._mapping.recorded
            if read(times.closed_at) or read(times.resolved_at):
                warnings.append("time-of-an-open-row")
            return None
        columns = self._mapping.recorded
        seen: dict[str, datetime | None] = {}
        for column in (columns.answered_at, columns.resolved_at, columns.closed_at):
            if column is not None and column not in seen:
                seen[column] = self._past(read, column, received_at, warnings)
        return Recorded.model_construct(
            answered_at=seen.get(columns.answered_at or ""),
            resolved_at=seen.get(columns.resolved_at or ""),
            closed_at=seen.get(columns.closed_at or ""),
            outcome=outcome,
        )

    def _outcome(self, read: _Reader) -> str | None:
        rule = self._mapping.outcome
        value = read(rule.column) if rule else ""
        if rule is None or not value:
            return None
        found = rule.table.get(value, rule.any)
        return found.value if found else None


class _Reader:
    """Reads one row's values: clean, and empty where the source writes a word for nothing."""

    __slots__ = ("_empty", "values")

    def __init__(self, values: Mapping[str, str], empty: frozenset[str]) -> None:
        self.values = values
        self._empty = empty

    def __call__(self, column: str | None) -> str:
        value = self.values.get(column, "") if column is not None else ""
        if not value:
            return ""
        value = clean_value(value)
        return "" if value in self._empty else value

    def text(self, column: str) -> str:
        """Return running text with its lines."""
        value = clean_text(self.values.get(column, ""))
        return "" if value in self._empty else value


def _degrees(text: str, limit: int) -> float | None:
    try:
        value = float(text) if text else None
    except ValueError:
        return None
    return value if value is not None and -limit <= value <= limit else None


_PIECES = re.compile(r"\[([^\]]*)\]|([^\[]+)")
_COLUMN = re.compile(r"\{([^{}\[\]]+)\}")


def _compile(template: str) -> Callable[[_Reader], str]:
    """Return a function from a row to its text; empty where a column outside brackets is."""
    # `split` by a group gives words and columns in turn.
    pieces = [
        (_COLUMN.split(bracketed or plain), bool(bracketed))
        for bracketed, plain in _PIECES.findall(template)
    ]

    def fill(read: _Reader) -> str:
        texts = []
        for parts, is_optional in pieces:
            values = [read.text(column) for column in parts[1::2]]
            if all(values):
                texts += [
                    word for pair in zip(parts[::2], [*values, ""], strict=True) for word in pair
                ]
            elif not is_optional:
                return ""
        return "".join(texts).strip()

    return fill
