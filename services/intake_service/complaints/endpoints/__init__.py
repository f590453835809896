"""HTTP about complaints; `recording` is the hot path."""
