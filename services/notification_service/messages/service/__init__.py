"""Use cases of messages: plan intents, prepare them for a gateway, read them."""
