"""Wire formats: errors as google.rpc.Status, Arrow streams, payload frames, caller identity."""
