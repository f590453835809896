"""Webhooks: every event to whoever subscribed, signed, in order per complaint, until it is taken.

Three loops: `following` brings the log to deliveries, `sending` brings deliveries to endpoints,
`keeping` clears away what is old. A lane is one complaint on its way to one endpoint: its
deliveries go one after another, lanes go side by side, and no endpoint waits for another.
"""
