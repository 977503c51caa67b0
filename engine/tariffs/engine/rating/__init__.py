"""Rows of the law that fit a class of goods and its facts, and the layers that stacking leaves of them."""
