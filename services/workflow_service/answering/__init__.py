"""Answering: the page on which a customer takes an option of a proposal, or tells why none suits.

Its address names one proposal and is signed, so it needs no account, and no second service to act.
Looking changes nothing: mail scanners and previews open every link of an e-mail.
"""
