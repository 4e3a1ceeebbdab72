"""Which hosts may get a credential, and which links may be followed."""

from __future__ import annotations

import pytest

from syncer.errors import PlanRefusedError
from syncer.facts import System
from syncer.targets.endpoint import origin_of, target_of

GOOD = [
    (System.MARKETO, "https://123-ABC-456.mktorest.com", "https://123-abc-456.mktorest.com"),
    (System.MARKETO, "https://123-ABC-456.mktorest.com/", "https://123-abc-456.mktorest.com"),
    (System.SALESFORCE, "https://acme.my.salesforce.com", "https://acme.my.salesforce.com"),
    (System.SALESFORCE, "https://acme--uat.sandbox.my.salesforce.com", "https://acme--uat.sandbox.my.salesforce.com"),
    (System.SALESFORCE, "https://acme.my.salesforce.com:443", "https://acme.my.salesforce.com:443"),
]
BAD = [
    "",
    "acme.my.salesforce.com",
    "http://acme.my.salesforce.com",
    "ftp://acme.my.salesforce.com",
    "https://acme.my.salesforce.com:8443",
    "https://acme.my.salesforce.com.evil.example",
    "https://evil.example/acme.my.salesforce.com",
    "https://evil.example#.my.salesforce.com",
    "https://evil.example?.my.salesforce.com",
    "https://my.salesforce.com",
    "https://.my.salesforce.com",
    "https://a.b.c.my.salesforce.com",
    "https://user@acme.my.salesforce.com",
    "https://user:pass@acme.my.salesforce.com",
    "https://acme.my.salesforce.com@evil.example",
    "https://acme.my.salesforce.com\\@evil.example",
    "https://acme.my.salesforce.com\t.evil.example",
    "https://acme.my.salesforce.com\n",
    "https://acmе.my.salesforce.com",  # noqa: RUF001 - a Cyrillic letter is the point
    "https://acme.my.salesforce.com/services",
    "https://acme.my.salesforce.com?x=1",
    "https://acme.my.salesforce.com:99999",
    "https://[::1",
    "https://169.254.169.254",
    "https://10.0.0.1",
    "https://0x7f.1",
    "https://2130706433",
    "https://[::ffff:127.0.0.1]",
    "https://[::1]",
    "https://localhost",
    "http://localhost:8080",
    "http://127.0.0.1:8080",
    "https://login.salesforce.com",
    "https://123-ABC-456.mktorest.com",
]


@pytest.mark.parametrize(("system", "url", "origin"), GOOD)
def test_the_vendors_hosts_are_taken(system: System, url: str, origin: str) -> None:
    """Letter case and a closing slash do not matter."""
    assert origin_of(url, system, sandbox=False) == origin


@pytest.mark.parametrize("url", BAD)
def test_any_other_address_is_refused(url: str) -> None:
    """However it is dressed up, and with its own code."""
    with pytest.raises(PlanRefusedError) as caught:
        origin_of(url, System.SALESFORCE, sandbox=False)
    assert caught.value.code == "R304"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:8080", "https://127.9.9.9"]
)
def test_a_sandbox_may_be_this_machine(url: str) -> None:
    """Plain http goes to loopback alone, and only when the command line said so."""
    assert origin_of(url, System.MARKETO, sandbox=True) == url
    with pytest.raises(PlanRefusedError):
        origin_of("http://10.0.0.1", System.MARKETO, sandbox=True)


def test_a_named_host_is_taken_over_https_alone() -> None:
    """The flag admits exactly the host that it names."""
    hosts = frozenset({"crm.example"})
    assert origin_of("https://crm.example:8443", System.SALESFORCE, sandbox=False, allowed_hosts=hosts)
    for url in ("http://crm.example", "https://www.crm.example"):
        with pytest.raises(PlanRefusedError):
            origin_of(url, System.SALESFORCE, sandbox=False, allowed_hosts=hosts)


ORIGIN = "https://acme.my.salesforce.com"


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("/services/data/v61.0/query/01g-2000", "/services/data/v61.0/query/01g-2000"),
        ("services/data/v61.0/jobs/ingest/750/batches", "/services/data/v61.0/jobs/ingest/750/batches"),
        (f"{ORIGIN}/a?b=c", "/a?b=c"),
    ],
)
def test_links_on_our_own_origin_are_followed(link: str, target: str) -> None:
    """Relative with or without a slash, or absolute."""
    assert target_of(link, ORIGIN) == target


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/a",
        "//evil.example/a",
        "http://acme.my.salesforce.com/a",
        "/a/../../b",
        "file:///etc/passwd",
        "/a\nb",
    ],
)
def test_links_elsewhere_are_refused(link: str) -> None:
    """Another host, scheme or a climb out of the path."""
    with pytest.raises(PlanRefusedError) as caught:
        target_of(link, ORIGIN)
    assert caught.value.code == "R305"
