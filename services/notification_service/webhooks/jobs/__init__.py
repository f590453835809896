"""What runs by itself: `following` reads the log, `sending` posts, `keeping` clears away."""
