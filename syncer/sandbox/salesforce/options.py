"""What the Salesforce half of a sandbox can be told at its start. Defaults are the vendor's published limits.

Times are in seconds of the sandbox clock. Credentials are made up; they open nothing but this sandbox.
"""

from __future__ import annotations

from dataclasses import dataclass

from syncer.sandbox.salesforce.objects import DEFAULT_OBJECTS, ObjectType

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class SalesforceOptions:
    """One org. Numbers: *Bulk API and Bulk API 2.0 Limits and Allocations*, *API Request Limits and Allocations*."""

    objects: tuple[ObjectType, ...] = DEFAULT_OBJECTS

    client_id: str = "3MVG9sandboxConsumerKey"
    client_secret: str = "sandbox-consumer-secret"  # noqa: S105 - made up
    username: str = "integration@sandbox.example"
    password: str = "sandbox-password"  # noqa: S105 - made up
    security_token: str = "SandboxSecurityToken"  # noqa: S105 - made up
    refresh_token: str = "5Aep861sandboxRefreshToken"  # noqa: S105 - made up
    access_token: str = "00D5g0000000001!AQ8AQSandboxTokenReadyForUse"  # noqa: S105 - made up
    has_run_as_user: bool = True
    instance_url: str | None = None
    """What token answers name as the API host; None: the host that was asked."""
    session_seconds: float = 7200.0

    daily_calls: int | None = 100_000
    daily_batches: int | None = 15_000
    daily_query_jobs: int | None = 10_000
    collection_records: int = 200
    uri_bytes: int = 16_384
    upload_bytes: int = 112_500_000
    """150 MB after base64."""
    multipart_characters: int = 100_000
    query_page: int = 2000
    query_job_page: int = 50_000

    batch_rows: int = 10_000
    chunk_rows: int = 200
    parallel_batches: int = 4
    queue_seconds: float = 1.0
    chunk_seconds: float = 0.05
    finish_seconds: float = 0.5
    """How long a job with all its rows done still says InProgress."""
    open_seconds: float = DAY
    kept_seconds: float = 7 * DAY

    has_hard_delete: bool = False
    accepts_any_state_case: bool = False
    """Whether `uploadComplete` passes for `UploadComplete`, as one guide prints it and no source shows."""
    fails_without_upload: bool = False
    """Whether a job closed without data fails instead of completing with no rows."""
    compresses: bool = True
