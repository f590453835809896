"""What a survey is, and when it can be answered."""
