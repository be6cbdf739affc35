"""Soon."""

import click


@click.command("doctor")
def command() -> None:
    """Soon."""
