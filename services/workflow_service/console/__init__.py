"""Console: the pages on which staff see cases, due first, and why each clock is where it is."""
