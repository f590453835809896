"""Customers: who complains, found again by CRM reference, phone or e-mail."""
