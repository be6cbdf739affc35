"""Where sessions are kept: one module a technology, each behind `ports.SessionStorage`."""
