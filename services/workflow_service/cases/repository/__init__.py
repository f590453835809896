"""Where cases, their history and their words are kept."""
