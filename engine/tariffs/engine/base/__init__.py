"""Shared tools that know nothing of trade: caches, chunked loops, ordered sums, compiled kernels, dates."""
