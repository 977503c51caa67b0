"""Page in the browser over a client: quotes, scenarios, comparisons, timelines, sweeps and uploaded tables."""
