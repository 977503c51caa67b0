"""Search for values of a parameter at which a result meets a target."""
