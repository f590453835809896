"""The commands of `python -m services`, a module per noun."""
