"""General tools without trade concepts: caches, chunked loops, ordered sums, compiled kernels, dates, spelling."""
