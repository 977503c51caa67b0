"""The gRPC service of tariffs.v1 over the engine."""
