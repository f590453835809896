"""Surveys: whether customers are satisfied, asked a day after the resolution, answered once."""
