"""What sessions are looked for by: a piece of their id, of their name, or of whose they are."""

from __future__ import annotations

import attrs


def _fold(text: str) -> str:
    return text.casefold()


@attrs.frozen
class Search:
    """
    A piece of text that is looked for, as it stands: no character in it means anything but itself.

    Upper and lower case are the same, as Unicode has it. No text is found everywhere.
    """

    text: str = attrs.field(converter=_fold)

    def finds(self, *texts: str | None) -> bool:
        """Is it in one of *texts*?"""
        return any(self.text in text.casefold() for text in texts if text is not None)
