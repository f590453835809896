"""The revisions of the messaging tables, the same in every service's database."""
