"""`python -m bamboo_gateway` is `bamboo-gateway`."""

from .cli import main

main(prog_name="bamboo-gateway")
