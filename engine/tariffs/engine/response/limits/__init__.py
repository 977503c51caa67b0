"""Solve the response under limits and floors on quantities."""
