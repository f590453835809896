"""Where calendars are kept, and where a country's days come from."""
