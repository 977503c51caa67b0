"""Compute a table under laws: duty and trade of its lines, and their sums."""
