"""Duty of entry lines in decimals: quotes, rounding, fees, explanations, entries."""
