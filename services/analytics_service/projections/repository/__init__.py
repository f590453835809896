"""The file of facts: `store` opens and writes it, `serving` hands it to readers and swaps it."""
