"""Reading a command's settings once more, while it runs."""

from __future__ import annotations

from typing import Any

import click


class RereadableCommand(click.Command):
    """A command that keeps what was typed, so that the rest can be read again."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse *args*, and keep them."""
        ctx.meta[__name__] = tuple(args)
        return super().parse_args(ctx, args)


def read_again(ctx: click.Context) -> dict[str, Any]:
    """
    Read the environment and the file anew; what was typed still goes before them.

    Raises:
        click.UsageError: A value is wrong, or the file cannot be read; the text says what and where.
    """
    with ctx.command.make_context(ctx.info_name, list(ctx.meta[__name__]), ctx.parent) as again:
        return dict(again.params)
