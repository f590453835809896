"""Figures: each a question about the facts, answered by one statement."""
