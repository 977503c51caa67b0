"""Compute refunds of duty that was not owed."""
