"""Reads: how many wishes are open, and for how long."""

from apps.kernel.figures import OpenWork, open_rows
from ecommerce.privacy.models import DataExport, ErasureRequest


def open_requests() -> list[OpenWork]:
    """Return how many exports and erasures are open, and for how long."""
    kinds = (("data_export", DataExport), ("erasure", ErasureRequest))
    return [open_rows(kind, model, since="requested_at") for kind, model in kinds]
