"""What runs by itself: `feed` reads the log into a store, `folding` is the loop and the rebuild."""
