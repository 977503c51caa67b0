"""What changes in the law, and what a change does to a table."""
