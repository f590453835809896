"""What workflow reacts to."""

from __future__ import annotations

from services.workflow_service.cases.service import listening
from services.workflow_service.cases.service.desk import Desk
from shared.events import topics
from shared.events.base import Source
from shared.events.complaints import ComplaintAmended, ComplaintReceived, ComplaintRegraded
from shared.events.deliveries import NotificationFailed, NotificationSent, NotificationSkipped
from shared.events.surveys import SurveyAnswered
from shared.messaging import Subscriptions

SUBSCRIPTIONS: Subscriptions[Desk] = Subscriptions(
    topics=(topics.COMPLAINTS, topics.NOTIFICATIONS),
    group="redress-workflow",
    own=Source.WORKFLOW,
    foresee=listening.foresee,
    handlers={
        ComplaintReceived: listening.open_cases,
        ComplaintAmended: listening.amend_cases,
        ComplaintRegraded: listening.regrade_cases,
        NotificationSent: listening.note_sent,
        NotificationSkipped: listening.note_skipped,
        NotificationFailed: listening.note_failed,
        SurveyAnswered: listening.note_answers,
    },
)
