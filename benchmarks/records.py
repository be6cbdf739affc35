"""What is measured, while it is being measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs


@attrs.define
class Records:
    """The values of each quantity, by subject, round by round."""

    _values: dict[str, dict[str, list[float]]] = attrs.field(factory=dict)

    def add(self, what: str, subject: str, value: float) -> None:
        """Take the *value* of one round."""
        self._values.setdefault(what, {}).setdefault(subject, []).append(value)

    def rounds(self, what: str) -> Mapping[str, Sequence[float]]:
        """For a `Measurement`."""
        return self._values[what]
