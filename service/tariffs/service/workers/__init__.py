"""Worker processes that compute tasks outside the event loop: queue, pools, overflow to disk."""
