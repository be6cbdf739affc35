"""The front door: sockets to listen on, TLS, and who of all that knock is let in."""
