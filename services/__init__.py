"""Redress: four services around one ordered history of every complaint.

| service | owns | says | hears |
|---|---|---|---|
| `intake_service` | complaint, customer, classification | ComplaintReceived, ComplaintAmended, ComplaintRegraded | every event of workflow, for the tracking page |
| `workflow_service` | case, clocks, owner, words of the handling | CaseOpened … Closed, CaseImported | intake's events; NotificationSent, NotificationSkipped |
| `notification_service` | messages and their delivery | NotificationSent, NotificationDelivered, NotificationFailed, NotificationSkipped | ComplaintReceived, workflow's events |
| `analytics_service` | facts for every figure | nothing yet | everything |

Read on in each service's package docstring (its card), then its `handlers.py`. `embedded.py` runs
all four in one process, `distributed.py` one of them; `shared/` is what they have in common. The
events: `shared/events`. The way of one complaint: `docs/tour.md`.
"""
