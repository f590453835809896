"""What intake reacts to: workflow's facts move a complaint's status and the customer's timeline."""

from __future__ import annotations

from services.intake_service.complaints.service.following import follow_cases
from shared.events import cases, topics
from shared.events.base import Source
from shared.messaging import Subscriptions

SUBSCRIPTIONS: Subscriptions[None] = Subscriptions(
    topics=(topics.COMPLAINTS,),
    group="redress-intake",
    own=Source.INTAKE,
    handlers={
        cases.CaseOpened: follow_cases,
        cases.CaseImported: follow_cases,
        cases.CaseAssigned: follow_cases,
        cases.CaseTransferred: follow_cases,
        cases.InvestigationStarted: follow_cases,
        cases.CustomerContacted: follow_cases,
        cases.InformationRequested: follow_cases,
        cases.InformationReceived: follow_cases,
        cases.SolutionProposed: follow_cases,
        cases.SolutionAccepted: follow_cases,
        cases.SolutionDeclined: follow_cases,
        cases.StepCarriedOut: follow_cases,
        cases.ClockWarned: follow_cases,
        cases.ClockBreached: follow_cases,
        cases.ClockExtended: follow_cases,
        cases.ClocksMoved: follow_cases,
        cases.CustomerWrote: follow_cases,
        cases.WaitingEnded: follow_cases,
        cases.UpdateDue: follow_cases,
        cases.FollowUpDue: follow_cases,
        cases.CallBackDue: follow_cases,
        cases.SatisfactionRecorded: follow_cases,
        cases.PromiseMade: follow_cases,
        cases.PromiseKept: follow_cases,
        cases.PromiseDelayed: follow_cases,
        cases.PromiseBroken: follow_cases,
        cases.Escalated: follow_cases,
        cases.DeEscalated: follow_cases,
        cases.CaseMerged: follow_cases,
        cases.Resolved: follow_cases,
        cases.Rejected: follow_cases,
        cases.Withdrawn: follow_cases,
        cases.Reopened: follow_cases,
        cases.Closed: follow_cases,
    },
)
