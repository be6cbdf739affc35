"""The pictures in the documents are of the console as it is."""

from __future__ import annotations
