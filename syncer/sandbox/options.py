"""What a sandbox can be told at its start. Defaults are the vendors' published limits."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from syncer.sandbox.clock import Clock


@dataclass(frozen=True, slots=True)
class MarketoOptions:
    """Marketo's limits; None lifts one. Numbers: Adobe, "Marketo Integration Best Practices" and "Bulk Import"."""

    rate_calls: int | None = 100
    rate_seconds: float = 20.0
    concurrent_calls: int | None = 10
    daily_calls: int | None = 50_000
    records_per_call: int = 300
    json_bytes: int = 1024 * 1024
    uri_bytes: int = 8 * 1024
    import_bytes: int = 10 * 1024 * 1024
    imports_queued: int = 10
    imports_running: int = 2
    import_start_seconds: float = 1.0
    import_rows_per_second: float = 500.0
    import_seconds: float = 5.0
    import_kept_seconds: float = 7 * 86_400.0
    token_seconds: float = 3600.0
    company_fields_in_sync: bool = False
    """Whether Sync Leads takes company fields; the vendor points to Sync Companies instead."""
    blank_cells_clear: bool = True
    """Whether an empty cell of an import empties the field; the vendor does not say."""
    query_tokens: bool = False
    """Whether `?access_token=` is still taken; Adobe ends it on 2026-08-31."""


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """One sandbox. `salesforce` holds whatever options the Salesforce world defines."""

    seed: int = 0
    clock: Clock | None = None
    latency_seconds: float = 0.0
    duplicates_on_overlap: bool = True
    marketo: MarketoOptions = field(default_factory=MarketoOptions)
    salesforce: Any = None
    seed_file: Path | None = None
    log_path: Path | None = None

    def seed_of(self, system: str) -> dict[str, Any]:
        """What the seed file says of a system: one JSON object with a member for each."""
        if self.seed_file is None:
            return {}
        contents: dict[str, dict[str, Any]] = json.loads(self.seed_file.read_text(encoding="utf-8"))
        return contents.get(system, {})
