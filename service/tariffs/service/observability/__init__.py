"""Logs, metrics and the call log."""
