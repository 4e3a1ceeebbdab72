"""The paths of the org, each once: template, methods and the function that serves it. Trailing slashes are accepted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from syncer.sandbox.salesforce import (
    describe,
    ingest,
    oauth,
    query,
    queryjobs,
    resources,
    rows,
    sobject_collections,
)
from syncer.sandbox.salesforce.door import Handler, serve

if TYPE_CHECKING:
    from syncer.sandbox.exchange import Endpoint
    from syncer.sandbox.salesforce.world import SalesforceWorld

_OPEN: Mapping[str, Mapping[str, Handler]] = {
    "/services/oauth2/token": {"POST": oauth.token},
    "/services/oauth2/revoke": {"POST": oauth.revoke},
    "/services/oauth2/introspect": {"POST": oauth.introspect},
    "/services/data": {"GET": resources.versions},
}
_CLOSED: Mapping[str, Mapping[str, Handler]] = {
    "/services/oauth2/userinfo": {"GET": oauth.user_info, "POST": oauth.user_info},
    "/services/data/v{version}": {"GET": resources.root},
    "/services/data/v{version}/limits": {"GET": resources.limits},
    "/services/data/v{version}/query": {"GET": query.query},
    "/services/data/v{version}/query/{locator}": {"GET": query.more},
    "/services/data/v{version}/queryAll": {"GET": query.query},
    "/services/data/v{version}/queryAll/{locator}": {"GET": query.more},
    "/services/data/v{version}/jobs/ingest": {"POST": ingest.create, "GET": ingest.list_jobs},
    "/services/data/v{version}/jobs/ingest/{job_id}": {
        "GET": ingest.info,
        "PATCH": ingest.change_state,
        "DELETE": ingest.delete,
    },
    "/services/data/v{version}/jobs/ingest/{job_id}/batches": {"PUT": ingest.upload},
    "/services/data/v{version}/jobs/ingest/{job_id}/{results}": {"GET": ingest.result_file},
    "/services/data/v{version}/jobs/query": {"POST": queryjobs.create, "GET": queryjobs.list_jobs},
    "/services/data/v{version}/jobs/query/{job_id}": {
        "GET": queryjobs.info,
        "PATCH": queryjobs.abort,
        "DELETE": queryjobs.delete,
    },
    "/services/data/v{version}/jobs/query/{job_id}/results": {"GET": queryjobs.result_page},
    "/services/data/v{version}/jobs/query/{job_id}/resultPages": {"GET": queryjobs.result_pages},
    "/services/data/v{version}/composite/sobjects": {
        "POST": sobject_collections.create,
        "PATCH": sobject_collections.update,
        "DELETE": sobject_collections.delete,
    },
    "/services/data/v{version}/composite/sobjects/{object}/{field}": {"PATCH": sobject_collections.upsert},
    "/services/data/v{version}/sobjects": {"GET": describe.describe_global},
    "/services/data/v{version}/sobjects/{object}": {"GET": describe.basic, "POST": rows.create},
    "/services/data/v{version}/sobjects/{object}/describe": {"GET": describe.describe},
    "/services/data/v{version}/sobjects/{object}/{id}": {
        "GET": rows.read_one,
        "PATCH": rows.update,
        "DELETE": rows.delete,
        "POST": rows.create,
    },
    "/services/data/v{version}/sobjects/{object}/{field}/{value:path}": {
        "GET": rows.read_by_key,
        "PATCH": rows.upsert,
    },
}


def template_of(path: str) -> str:
    """The path as logs and fault rules name it."""
    return path.replace(":path", "").replace("v{version}", "vXX.X").replace("{job_id}", "{jobId}")


def endpoints(world: SalesforceWorld) -> list[tuple[str, Endpoint]]:
    """Every path of the org with what answers it, each with and without a slash at its end."""
    made: list[tuple[str, Endpoint]] = []
    for table, is_open in ((_OPEN, True), (_CLOSED, False)):
        for path, handlers in table.items():
            endpoint = serve(world, template_of(path), handlers, is_open=is_open)
            made.extend(((path, endpoint), (f"{path}/", endpoint)))
    unknown = serve(world, "/services/{unknown}", {})
    made.append(("/services/{unknown:path}", unknown))
    return made
