"""Pure rules of time: calendars, policies, clocks."""
