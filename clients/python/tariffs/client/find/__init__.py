"""Search of codes by words."""
