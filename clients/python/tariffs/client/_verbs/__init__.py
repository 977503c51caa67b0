"""Private: methods of Client, one module for each group of calls."""
