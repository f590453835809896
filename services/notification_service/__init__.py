"""Notification: tells customers and staff what happens to a complaint, once per fact.

Owns: the intents to tell somebody something, the messages made of them and what became of each.
Consumes: ComplaintReceived and ComplaintRegraded (language, grade), all facts of cases, signals
(hot spots, incidents); what is said when is one table, `messages/routing.yaml`. Webhooks follow
the whole log by themselves.
Publishes: NotificationSent, NotificationDelivered, NotificationFailed, NotificationSkipped (of
messages about a complaint), SurveyAnswered (redress.notifications.v1).
Promises: every event at least once, in order per complaint, to each webhook that wants it;
exactly one intent per fact and recipient; at most one accepted send where the gateway
knows our reference; what cannot be known after a crash is shown to an operator, never guessed.

| room | what is in it |
|---|---|
| `messages/` | intents, routing, the sender loop, `/v1/notifications`, the `/outbox` page |
| `preferences/` | how each customer wishes to be written to: channel, zone, quiet hours, consent |
| `recipients/` | who is told and in which words: asked of intake and workflow when sending |
| `surveys/` | is the customer satisfied: `/survey/{token}`, answered once (docs/surveys.md) |
| `templates/` | wordings in Chinese and English, a company's own versions, SMS length |
| `tone/` | phrases never to use and duties towards the reader, `/v1/tone-check` |
| `scripts/` | what to say by kind of complaint and motive, letters of apology and thanks |
| `feed/` | `/v1/events`: the log over HTTP, for systems without Kafka |
| `webhooks/` | events posted to other systems: subscriptions, deliveries, retries |
| `receipts/` | what gateways say later of what they took, verified and tied to its message |
| `notices/` | proof of what customers were told, and the alarm where a mandatory notice has none |
| `gateways/` | how a message leaves: SMTP, SMS vendors, files until one is configured |

An import (`imported`) produces nothing at all; what people later do with the case does.
"""
