"""How the history becomes facts: folding, the file, the loop."""
