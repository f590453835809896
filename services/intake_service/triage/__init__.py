"""Classify and grade a complaint by the rules of `taxonomy.yaml`, with the reasons shown.

Owns: the categories, the rules for severity, urgency, priority and motive. Knows no table and
no event: the complaints feature stores and publishes what is decided here.
"""
