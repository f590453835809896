"""Use cases: acting on a case, listening to events, letting time pass, reading."""
