"""The rules of tone, pure: text in, findings out."""
