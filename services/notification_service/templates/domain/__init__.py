"""What a message may say about a fact, and how long an SMS is."""
