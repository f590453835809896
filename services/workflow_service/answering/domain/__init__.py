"""How a proposal stands, told from the case's history."""
