"""The customer's view of their case: which facts they are shown."""

from __future__ import annotations

MILESTONES = {
    "CaseOpened": "opened",
    "CaseMerged": "merged",
    "CaseAssigned": "assigned",
    "CaseTransferred": "transferred",
    "InvestigationStarted": "investigating",
    "CustomerContacted": "contacted",
    "InformationRequested": "information_requested",
    "InformationReceived": "information_received",
    "SolutionProposed": "proposed",
    "SolutionAccepted": "accepted",
    "SolutionDeclined": "declined",
    "StepCarriedOut": "carried_out",
    "PromiseMade": "promised",
    "PromiseDelayed": "promise_delayed",
    "PromiseKept": "promise_kept",
    "Resolved": "resolved",
    "Rejected": "rejected",
    "Withdrawn": "withdrawn",
    "SatisfactionRecorded": "satisfaction_recorded",
    "Reopened": "reopened",
    "Closed": "closed",
}
"""Event → milestone. Clocks and escalations are ours to worry about and are not shown."""
