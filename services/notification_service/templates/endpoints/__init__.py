"""The paths of wordings: for machines, and for people."""
