"""The facts of a complaint: envelope, one model per event, topics and the registry."""
