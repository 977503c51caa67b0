"""Respond to one change of duty by each model."""
