"""Soon."""

import click


@click.command("top")
def command() -> None:
    """Soon."""
