"""What a receipt says, how vendors write it, and what follows from it."""
