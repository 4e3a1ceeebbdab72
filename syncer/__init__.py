"""syncer: plan and apply for customer data."""

from __future__ import annotations

__version__ = "0.1.0"
