"""How each customer wishes to be written to: channel, language, zone, quiet hours, consent."""
