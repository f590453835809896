"""Gateways: the ports by which a message leaves, and their adapters."""
