"""Organisation: departments, people, and which of them a complaint goes to."""
