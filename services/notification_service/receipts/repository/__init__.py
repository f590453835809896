"""Statements over receipts and the hand-overs that they are about."""
