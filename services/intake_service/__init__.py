"""Intake: takes complaints in, knows who complains, classifies, and shows how things stand.

Owns: complaints and what was added to them, customers with everything personal (encrypted under a
key per customer), the taxonomy and its rules, imports, the tracking page.

Consumes (`handlers.py`): workflow's facts of the case, for `status`, `progress` and the customer's
timeline. Notification's facts pass by.

Asks, when a customer opens their page: workflow for the words of the case that no event carries and
for where a proposal is answered, notification for the time zone that the customer chose. The page
is there without them.

Publishes on `redress.complaints.v1`: ComplaintReceived (sequence 1), ComplaintAmended,
ComplaintRegraded. Never a name, phone, e-mail, address or free text.

Promises: an acknowledged complaint is stored with its event in one commit; the same source pair is
one complaint for ever; the same Idempotency-Key is answered once; the same CRM reference, phone or
e-mail is one customer; destroying a customer's key makes all their words unreadable.
"""
