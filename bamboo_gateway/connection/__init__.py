"""One client's socket, from accept to close: a nursery of reader, writer and heartbeat around one outbox."""
