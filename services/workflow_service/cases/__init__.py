"""Cases: our handling of each complaint, from receipt to filing."""
