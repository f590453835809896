"""The event log: one port, and behind it Kafka, a durable SQLite log, or a fake for tests."""
