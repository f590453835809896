"""Rules: what is wanted, where to we may send, when to try again, when an endpoint is dead."""
