"""Demo: the effect of the court's decision on all US imports of 2024, computed over gRPC."""
