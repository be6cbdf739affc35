"""Soon."""

import click


@click.command("status")
def command() -> None:
    """Soon."""
