"""The engine: law, scenarios, duty, landed cost and trade volume as a pure library."""
