"""Take complaints over from other systems: CSV and NDJSON files, read by a mapping.

Owns: imports, their reject files, uploaded mappings. Promises: every row is in, was there before,
or stands in the reject file with its reason; sending a file again changes nothing.
"""
