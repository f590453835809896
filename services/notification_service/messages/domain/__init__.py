"""What is told to whom, on which channel, and when it is tried again: pure rules."""
