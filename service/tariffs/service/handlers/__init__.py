"""The services as grpc.aio sees them: what computes runs in threads, what only reads runs inline; errors just rise."""
