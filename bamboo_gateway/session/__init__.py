"""Sessions as a pure state machine: no trio, clock, I/O or logging in here."""
