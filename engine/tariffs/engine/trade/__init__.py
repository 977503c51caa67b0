"""Trade: codes, units, countries, the schedule, the embedded reference table, and checks of a caller's table."""
