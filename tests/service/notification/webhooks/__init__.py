"""Webhooks: what endpoints are sent, in which order, and what is done when they do not answer."""
