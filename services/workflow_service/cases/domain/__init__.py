"""Pure rules of a case: what may happen when, and what follows from it."""
