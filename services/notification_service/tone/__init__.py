"""The tone of what customers read: phrases never to use, and what every kind of text owes them.

`service.check` is the one way in, for the endpoint and for other rooms; `rules.yaml` says what is
looked for and why (docs/tone.md).
"""
