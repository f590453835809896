"""Receipts, what operators decide by hand, and the proof of notice."""
