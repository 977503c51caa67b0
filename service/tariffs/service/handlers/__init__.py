"""The services as grpc.aio sees them: light calls run inline, long ones in the pool. They log no errors."""
