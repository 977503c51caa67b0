"""Refunds of duty that was not owed."""
