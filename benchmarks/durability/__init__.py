"""What it costs to lose nothing: to commit before anybody sees, to read a log back, to open an old file."""
