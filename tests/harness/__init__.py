"""What tests stand on: real PostgreSQL, real Kafka, SQLite files, Chromium, the real data.

A fixture whose thing cannot be had skips its test and says in one line what is missing;
`REQUIRE_POSTGRES=1`, `REQUIRE_KAFKA=1` and `REQUIRE_BROWSER=1` (CI) make that a failure.
"""
