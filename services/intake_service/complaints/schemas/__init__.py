"""What senders write (`request`) and what they get (`answer`)."""
