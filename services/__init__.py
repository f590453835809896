"""Redress: four services around one ordered history of every complaint.

`intake_service`        owns complaint, customer and classification
                        says ComplaintReceived, ComplaintAmended, ComplaintRegraded
                        hears workflow's events, but approvals, for the tracking page
`workflow_service`      owns the case: state, owner, clocks, words of the handling
                        says CaseOpened … Closed, CaseImported
                        hears intake's events, NotificationSent, …Failed, …Skipped, SurveyAnswered
`notification_service`  owns messages and their delivery, webhooks and their deliveries
                        says NotificationSent, …Delivered, …Failed, …Skipped, SurveyAnswered
                        hears ComplaintReceived, workflow's events, signals; webhooks everything
`analytics_service`     owns the facts behind every figure
                        says nothing yet
                        hears everything of complaints and of messages

Read on in each service's package docstring (its card), then its `handlers.py`. `embedded.py` runs
all four in one process, `distributed.py` one of them; `shared/` is what they have in common. The
events: `shared/events`. The way of one complaint: `docs/tour.md`.
"""

# Here, where they cost nothing to read: the command line names services without loading one.
SERVICES = ("intake", "workflow", "notification", "analytics")
WITH_DATABASE = ("intake", "workflow", "notification")
PROCESSES = ("intake", "intake-relay", "workflow", "notification", "analytics")
"""What `serve` can run: in the distributed profile intake's relay is a process of its own."""
