"""Analytics: pure rules."""
