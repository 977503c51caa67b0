"""The grpc.aio server: listener, TLS, tokens, admission, middleware, health, run scheduler, supervisor."""
