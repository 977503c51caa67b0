"""Results of this engine beside published figures, and reference pages made from the law data."""
