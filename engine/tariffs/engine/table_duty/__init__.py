"""Duty of a trade table in float64: compile the law for its lines, run the kernel."""
