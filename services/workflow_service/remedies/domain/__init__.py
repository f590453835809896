"""What a role may offer by itself, and an offer that waits for somebody who may."""
