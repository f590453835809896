"""Use cases: record (one or many), read, amend, regrade, follow the case, track."""

from services.intake_service.complaints.service.recording import Recorder

__all__ = ["Recorder"]
