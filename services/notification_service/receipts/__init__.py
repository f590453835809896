"""Receipts: what gateways say later of messages that they took, verified and tied to them."""
