"""HTTP/1.1 on the gateway's port: health, metrics and whatever else is no WebSocket."""
