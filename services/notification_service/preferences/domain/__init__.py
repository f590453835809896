"""What a customer may choose, and when and on which channels that lets a message go: pure."""
