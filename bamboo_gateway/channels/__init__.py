"""Places that channel messages go to: one module a kind, each behind `ports.Channel`."""
