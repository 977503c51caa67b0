"""Arrange a table in lanes of laws, and sum them."""
