"""The duty of one entry line in decimals: quotes, rounding, fees, explanations, entries."""
