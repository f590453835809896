"""The page an operations lead looks at, and the lists behind its figures."""
