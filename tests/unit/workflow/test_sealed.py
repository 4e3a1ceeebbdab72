"""Sealed files: what went in comes out, whole, with the same key and for the same plan, or not at all."""

from __future__ import annotations

import base64
import io

import pytest

from syncer.errors import UserError
from syncer.workflow.sealed import CHUNK, Opened, Seal, read_key

KEY = bytes(range(32))
HEAD = 14 + 16 + 16
SEALED = CHUNK + 16


def sealed(plain: bytes, about: str = "plan") -> bytes:
    """Return the sealed bytes."""
    file = io.BytesIO()
    seal = Seal(file, KEY, about)
    for start in range(0, len(plain), 300_001):
        seal.write(plain[start : start + 300_001])
    seal.finish()
    return file.getvalue()


def opened(data: bytes, key: bytes = KEY, about: str = "plan") -> bytes:
    """Return the plain bytes."""
    return Opened(io.BytesIO(data), key, about).read()


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_what_went_in_comes_out(size: int) -> None:
    """At every edge of a chunk, and nothing of it can be seen in between."""
    plain = (b"canary@example.com " * (size // 19 + 1))[:size]
    data = sealed(plain)
    assert b"canary" not in data
    assert opened(data) == plain


def test_one_key_seals_the_same_rows_differently() -> None:
    """Nobody can tell from two files whether they hold the same."""
    assert sealed(b"rows") != sealed(b"rows")


@pytest.mark.parametrize(("key", "about"), [(bytes(32), "plan"), (KEY, "another plan")])
def test_a_wrong_key_or_plan_is_named(key: bytes, about: str) -> None:
    """It is told from damage, because the cure is another."""
    with pytest.raises(UserError) as refused:
        opened(sealed(b"rows"), key, about)
    assert refused.value.code == "P123"


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda data: data[:-1], id="cut"),
        pytest.param(lambda data: data[: HEAD + 2 * SEALED], id="cut between chunks"),
        pytest.param(lambda data: data[:HEAD], id="nothing but a head"),
        pytest.param(lambda data: data[:10], id="not even a head"),
        pytest.param(lambda data: data[:0], id="empty"),
        pytest.param(lambda data: b"x" + data[1:], id="another format"),
        pytest.param(lambda data: data[:-1] + bytes([data[-1] ^ 1]), id="one bit"),
        pytest.param(lambda data: data + b"more", id="longer"),
        pytest.param(
            lambda data: (
                data[:HEAD]
                + data[HEAD + SEALED : HEAD + 2 * SEALED]
                + data[HEAD : HEAD + SEALED]
                + data[HEAD + 2 * SEALED :]
            ),
            id="chunks in another order",
        ),
        pytest.param(lambda data: data[:HEAD] + data[HEAD + SEALED :], id="a chunk left out"),
    ],
)
def test_a_damaged_file_opens_nowhere(spoil: object) -> None:
    """Not a cut, not a change, not a chunk too few, too many or in another place."""
    assert callable(spoil)
    data = sealed(bytes(2 * CHUNK + 5))
    with pytest.raises(UserError) as refused:
        opened(spoil(data))
    assert refused.value.code == "P124"


@pytest.mark.parametrize("text", ["", "  ", "short", "ü" * 40, base64.b64encode(bytes(31)).decode()])
def test_a_key_is_32_bytes_in_base64(text: str) -> None:
    """Anything else is refused with the line that makes one, and never shown."""
    with pytest.raises(UserError) as refused:
        read_key({"SYNCER_PLAN_KEY": text})
    assert refused.value.code == "P122"
    assert "openssl" in refused.value.command
    assert not text.strip() or text.strip() not in str(refused.value)


def test_both_alphabets_of_base64_are_one_key() -> None:
    """Secret stores differ in which one they print."""
    key = bytes([251, 255] * 16)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        assert read_key({"SYNCER_PLAN_KEY": f" {encode(key).decode()}\n"}) == key
