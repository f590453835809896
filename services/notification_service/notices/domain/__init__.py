"""What counts as proof."""
