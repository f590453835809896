"""Scripts and letters, pure: a book of sentences and facts in, words out."""
