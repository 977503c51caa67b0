"""Rate a class of goods: rows of the law that fit its facts, stacking, and profiles for tables."""
