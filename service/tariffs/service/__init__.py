"""The gRPC service: the engine behind the wire contract of tariffs.v1."""
