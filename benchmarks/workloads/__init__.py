"""The workloads, a module each; `benchmarks/table.py` has them in order."""
