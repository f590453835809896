"""Templates: the wording of every message in Chinese and English (`wording/`), and rendering."""
