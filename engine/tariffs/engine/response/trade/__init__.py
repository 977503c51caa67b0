"""Respond to the duties of a law: varieties of a table, and the lines they come from."""
