"""Sweep the parameters of a scenario, and search for values at which a result meets a target."""
