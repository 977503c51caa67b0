"""Results of this engine beside published figures."""
