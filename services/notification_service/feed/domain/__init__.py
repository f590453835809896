"""What a cursor of the feed is."""
