"""What may be shown of an address."""
