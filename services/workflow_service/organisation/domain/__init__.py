"""Pure rules of people: who exists, who gets which case."""
