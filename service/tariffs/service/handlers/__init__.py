"""Handlers of the gRPC services for grpc.aio: computing calls run in workers, reading calls run inline."""
