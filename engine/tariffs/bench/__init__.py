"""Measure the speed of the engine beside rivals and floors: the rows behind `tariffs bench`."""
