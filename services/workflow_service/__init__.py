"""Workflow: opens a case for every complaint and sees to it that it is handled in time.

| | |
|---|---|
| owns | cases, their clocks and history, the words spoken in handling, the organisation |
| hears | ComplaintReceived, ComplaintAmended, ComplaintRegraded, NotificationSent and …Skipped |
| says | CaseOpened, CaseMerged, CaseImported, and what `shared/events/cases.py` has until Closed |
| promises | one case per complaint, under its id, and no forbidden step |
| | one open case per matter that a customer complains of, unless they went over our head |
| | no warning or breach lost, doubled, or late by more than seconds |
| | words encrypted, under a key per complaint |

Read `handlers.py` (what it reacts to), `cases/service/` (what it does), `cases/domain/lifecycle.py`
(what is allowed when), `cases/domain/actions.py` (what follows), `clocks/domain/` (time), and
`clocks/policy.yaml` and `organisation/organisation.yaml` (what a company sets).
"""
