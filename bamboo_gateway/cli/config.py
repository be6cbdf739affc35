"""Soon."""

import click


@click.command("config")
def command() -> None:
    """Soon."""
