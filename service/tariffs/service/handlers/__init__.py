"""The services as grpc.aio sees them: what computes runs in workers, what only reads runs inline; errors just rise."""
