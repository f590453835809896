"""CloudEvents 1.0 in binary mode, by hand: the SDK costs 27 µs an event, this 2 µs.

`tests/contract` holds the SDK against it. Header names are `ce_…`; `partitionkey` (the
subject) and `sequence` (dense from 1 per subject and source) are extension attributes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar

from shared.kernel.clock import from_rfc3339, to_rfc3339

Headers = Sequence[tuple[str, bytes]]
T = TypeVar("T")

SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/json"

_NEEDED = frozenset(
    {"ce_id", "ce_source", "ce_type", "ce_time", "ce_subject", "ce_sequence", "ce_dataschema"}
)


class BrokenEnvelope(ValueError):
    """A record that is no CloudEvent of ours: a header is missing or cannot be read."""


class Envelope(NamedTuple):
    """What stands around an event's data: who said it, when, about what, in which place.

    `subject` is the complaint's id (for signals the thing's own id) and the key of the record.
    """

    id: str
    source: str
    type: str
    version: int
    time: datetime
    subject: str
    sequence: int
    traceparent: str | None = None

    @property
    def dataschema(self) -> str:
        """The path of the JSON Schema that describes the data."""
        return f"/schemas/{self.type}/{self.version}"

    def to_headers(self) -> tuple[tuple[str, bytes], ...]:
        """Write the envelope as record headers."""
        return tuple([(name, text.encode()) for name, text in self.to_texts()])

    def to_texts(self) -> list[tuple[str, str]]:
        """Write the envelope as pairs of text, in the order of the headers."""
        texts = [
            ("ce_specversion", SPEC_VERSION),
            ("ce_id", self.id),
            ("ce_source", self.source),
            ("ce_type", self.type),
            ("ce_time", to_rfc3339(self.time)),
            ("ce_subject", self.subject),
            ("ce_partitionkey", self.subject),
            ("ce_sequence", str(self.sequence)),
            ("ce_dataschema", self.dataschema),
            ("content-type", CONTENT_TYPE),
        ]
        if self.traceparent:
            texts.append(("traceparent", self.traceparent))
        return texts

    @classmethod
    def from_headers(cls, headers: Iterable[tuple[str, bytes]]) -> Envelope:
        """Read an envelope; raises BrokenEnvelope naming the header that is missing or wrong."""
        found = _named(dict(headers))
        trace = found.get("traceparent")
        try:
            # By place: with names a tuple takes twice as long to make.
            envelope = cls(
                found["ce_id"].decode(),
                found["ce_source"].decode(),
                found["ce_type"].decode(),
                int(found["ce_dataschema"].decode().rpartition("/")[2].encode()),
                from_rfc3339(found["ce_time"].decode()),
                found["ce_subject"].decode(),
                int(found["ce_sequence"]),
                None if trace is None else trace.decode(),
            )
        except (KeyError, ValueError) as wrong:
            raise _broken(wrong) from None
        return _counted(envelope)

    @classmethod
    def from_texts(cls, headers: Mapping[str, str]) -> Envelope:
        """Read an envelope from headers as text; raises BrokenEnvelope as `from_headers` does."""
        found = _named(headers)
        try:
            envelope = cls(
                found["ce_id"],
                found["ce_source"],
                found["ce_type"],
                # As bytes: of text Python reads the digits of every script.
                int(found["ce_dataschema"].rpartition("/")[2].encode()),
                from_rfc3339(found["ce_time"]),
                found["ce_subject"],
                int(found["ce_sequence"].encode()),
                found.get("traceparent"),
            )
        except (KeyError, ValueError) as wrong:
            raise _broken(wrong) from None
        return _counted(envelope)


def _broken(wrong: KeyError | ValueError) -> BrokenEnvelope:
    if isinstance(wrong, KeyError):
        return BrokenEnvelope(f"header {wrong.args[0]} is missing")
    return BrokenEnvelope(f"a header cannot be read: {wrong}")


def _counted(envelope: Envelope) -> Envelope:
    if envelope.sequence < 1:
        raise BrokenEnvelope(f"ce_sequence is {envelope.sequence}; it counts from 1")
    return envelope


def _named(found: Mapping[str, T]) -> Mapping[str, T]:
    """Return headers by the names that are ours: some producers write them as HTTP allows."""
    if found.keys() >= _NEEDED:
        return found
    return {name.lower(): value for name, value in found.items()}
