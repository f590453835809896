"""Workflow: opens a case for every complaint and sees to it that it is handled in time.

| | |
|---|---|
| owns | cases, their clocks, promises and history, the words spoken in handling |
| | the organisation; calendars and policies in all their versions |
| hears | ComplaintReceived, ComplaintAmended, ComplaintRegraded, SurveyAnswered |
| | NotificationSent, …Skipped and …Failed |
| says | CaseOpened, CaseMerged, CaseImported, and what `shared/events/cases.py` has until Closed |
| promises | one case per complaint, under its id, and no forbidden step |
| | one open case per matter that a customer complains of, unless they went over our head |
| | no warning or breach lost, doubled, or late by more than seconds |
| | every due time explained, and the same when worked out anew from the history |
| | a case keeps the policy it was opened under; its running clocks follow their calendar |
| | words encrypted, under a key per complaint |

Read `handlers.py` (what it reacts to), `cases/service/` (what it does), `cases/domain/lifecycle.py`
(what is allowed when), `cases/domain/actions.py` (what follows), `cases/domain/milestones.py` (what
starts and ends a clock), `clocks/domain/` and `calendars/domain/` (time), `answering/` (the page on
which a customer answers a proposal), `console/` (the pages of
staff), and `clocks/policy.yaml` and `organisation/organisation.yaml` (what a company sets). In
words: docs/clocks.md, docs/policies.md, docs/calendars.md.
"""
