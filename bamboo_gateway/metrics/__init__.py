"""The metrics of a gateway: one table, and how it is written for a collector."""

from .exposition import CONTENT_TYPE, expose
from .table import METRICS

__all__ = ["CONTENT_TYPE", "METRICS", "expose"]
