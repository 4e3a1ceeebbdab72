"""One connection with its values resolved, and the rule for hosts that a credential may be sent to.

Whether a host is allowed is decided by its name and by flags that a person gave, never by an answer or a manifest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from syncer.facts import System
from syncer.targets import failure

if TYPE_CHECKING:
    from syncer.secret import Secret

# Marketo, "Base URL": the instance host carries the Munchkin id. Salesforce: "My Domain" hosts, sandboxes among them.
_HOSTS = {
    System.MARKETO: re.compile(r"[0-9]{3}-[a-z]{3}-[0-9]{3}\.mktorest\.com"),
    System.SALESFORCE: re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.){1,2}my\.salesforce\.com"),
}
_FORMS = {
    System.MARKETO: "https://123-ABC-456.mktorest.com",
    System.SALESFORCE: "https://yourdomain.my.salesforce.com",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A connection, resolved. `budget`: this project's calls a day; `reserve`: the share of the quota for others."""

    name: str
    system: System
    base_url: str
    client_id: str
    client_secret: Secret
    api_version: str = "61.0"
    blank_cells: str = "unknown"
    """What an empty cell of a Marketo import file does: `unknown`, `keep` or `clear`."""
    company_fields: str = "unknown"
    """Whether this Marketo instance takes company fields by Sync Leads: `unknown` or `written`."""
    budget: int | None = None
    concurrency: int = 5
    reserve: float = 0.0


def origin_of(url: str, system: System, *, sandbox: bool, allowed_hosts: frozenset[str] = frozenset()) -> str:
    """Return `scheme://host[:port]` of a URL that credentials may be sent to; raises `PlanRefusedError` for any other.

    `sandbox` admits a loopback address, by plain http too; `allowed_hosts` admits exact names beside the vendor's.
    """
    problem = _problem(url, system, sandbox=sandbox, allowed_hosts=allowed_hosts)
    if problem:
        raise failure.host_refused(system, problem, _FORMS[system])
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _problem(url: str, system: System, *, sandbox: bool, allowed_hosts: frozenset[str]) -> str:
    """Return why the URL is refused, or ""."""
    if not url.isascii() or any(character <= " " for character in url) or "\\" in url:
        return "it holds characters that no host has"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "it is not a web address"
    host = (parts.hostname or "").lower()
    vendor = _HOSTS[system].fullmatch(host) is not None
    claims = (
        (host == "", "it names no host"),
        (parts.username is not None or parts.password is not None, "it carries a user name"),
        (parts.path not in {"", "/"} or bool(parts.query or parts.fragment), "it goes on after the host"),
        (is_loopback(host) and not sandbox, "it is this machine, which only a sandbox run may use"),
        (parts.scheme != "https" and not (is_loopback(host) and parts.scheme == "http"), "it is not https"),
        (vendor and port not in {None, 443}, "it names a port"),
        (not (vendor or is_loopback(host) or host in allowed_hosts), "its host is not one of the vendor's"),
    )
    return next((sentence for holds, sentence in claims if holds), "")


def is_loopback(host: str) -> bool:
    """Tell whether the host is this machine, written as `localhost` or as a plain loopback address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def target_of(url: str, origin: str) -> str:
    """Return path and query of an answer's link; raises `PlanRefusedError` when it leaves our origin."""
    parts = urlsplit(url)
    elsewhere = bool(parts.netloc) and f"{parts.scheme}://{parts.netloc.lower()}" != origin
    if elsewhere or ".." in parts.path.split("/") or (parts.scheme and not parts.netloc) or not url.isprintable():
        raise failure.link_refused()
    path = parts.path if parts.path.startswith("/") else f"/{parts.path}"
    return f"{path}?{parts.query}" if parts.query else path
