"""
What Bamboo Gateway costs, beside the least that other libraries can do.

`python -m benchmarks` starts each peer as a process of its own, drives it over
real sockets from this one, and reads from the kernel how much CPU time the
server's process took. Peers take turns, so that a busy minute hits all of them,
and what is printed first are ratios: microseconds belong to one machine.
"""
