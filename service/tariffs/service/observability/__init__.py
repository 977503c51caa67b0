"""Logs, metrics and the record of each call."""
