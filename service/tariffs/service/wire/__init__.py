"""Messages on the wire: errors as google.rpc.Status, Arrow streams, payload frames, caller identity."""
