"""Messages: from a fact to one intent per recipient, and from an intent to a sent message."""
