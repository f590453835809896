"""What an event does to a fact: pure rules, no store."""
