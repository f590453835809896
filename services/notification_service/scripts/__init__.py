"""What to say to whom: replies by kind of complaint and motive, letters of apology and thanks.

The words are data (`wording/`); a motive changes tone and first step, never what is offered.
"""
