"""Compare the law of two days, and duty on a table under it."""
