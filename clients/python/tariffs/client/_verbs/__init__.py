"""Private: the methods of Client, one module for each service they call."""
