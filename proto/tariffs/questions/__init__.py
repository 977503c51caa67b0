"""Questions that are no runs: each is declared in a module of its own, and everything but its computation follows."""
