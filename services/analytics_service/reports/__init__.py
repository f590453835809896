"""What analysts take away."""
