"""Contact details, identities and how they are shown: pure rules."""
