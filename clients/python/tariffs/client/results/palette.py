"""Colours of charts, reports and the desk."""

PALETTE = ("#0072b2", "#b34700", "#16164a", "#7d2fd6", "#72767c", "#4a1f2a")
"""Colours of series, in their order: told apart with every form of colour blindness, and dark enough for text."""
