"""How this vendor says no: to a whole request, and to one record inside a request that succeeded.

A `Refusal` is raised and becomes an error answer, an array of objects with `errorCode`. A `RowError` is a
value: Collections print it with `statusCode`, Bulk result files as one line of text. OAuth has a third shape
of its own in `oauth.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class Refusal(Exception):  # noqa: N818 - the vendor refuses, the sandbox did not err
    """The whole request is refused with this status and body."""

    def __init__(self, status: int, code: str, message: str, fields: tuple[str, ...] | None = None) -> None:
        """Keep the parts of the vendor's error object; `fields` is printed only when it is given."""
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields

    def body(self) -> list[dict[str, Any]]:
        """The error array of *REST API Developer Guide*, Status Codes and Error Responses."""
        error: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            error["fields"] = list(self.fields)
        return [error]


def not_found(message: str = "The requested resource does not exist") -> Refusal:
    """The answer to an unknown path, object, job, version or record."""
    return Refusal(404, "NOT_FOUND", message)


def no_such_key(name: str) -> Refusal:
    """The answer to an upsert by a field that is no key, or that the user cannot see."""
    return not_found(f"Provided external ID field does not exist or is not accessible: {name}")


@dataclass(frozen=True, slots=True)
class RowError:
    """Why one record was refused."""

    code: str
    message: str
    fields: tuple[str, ...] = ()

    def as_item(self) -> dict[str, Any]:
        """The form inside a Collections answer."""
        return {"statusCode": self.code, "message": self.message, "fields": list(self.fields)}

    def as_line(self) -> str:
        """The form of `sf__Error`: `CODE:message:Field1, Field2 --`, or `CODE:message:--` when no field is named."""
        named = f"{', '.join(self.fields)} --" if self.fields else "--"
        return f"{self.code}:{self.message}:{named}"

    def as_refusal(self) -> Refusal:
        """The form of a call that carries one record only."""
        status = 404 if self.code == "ENTITY_IS_DELETED" else 400
        return Refusal(status, self.code, self.message, self.fields)
