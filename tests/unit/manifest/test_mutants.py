"""Whatever a file holds, reading it ends in a project or in a `ManifestError` that can be shown."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from syncer.diagnostics import Place
from syncer.manifest.read import read_file

ROOT = Path(__file__).parents[3]
QUIRKS = b"""version: 1
vars: &a { x: 'it''s', y: "\\u00e9\\t" }
mappings:
  m:
    a: |
      {{ x }}
    b: >-
      y
    c: *a
"""
FLOW = b'{"version": 1, "tests": {"t": {"operation": "o", "given": [{"a": null}, {"b": 1.5}]}}}\n'
CORPUS = [*(path.read_bytes() for path in sorted((ROOT / "manifests").rglob("*.yaml"))), QUIRKS, FLOW]
TOKENS = [
    *(b"\x00 \xff \xc3 \xef\xbb\xbf \r \t - ? : , [ ] { } # & * ! | > ' \" % @ ` ~ << --- ... !! &a *a".split(b" ")),
    *(b"no 1_000 22:22 0777 1.10 .inf 1e999 null true {{ }} \\ud800 \\UFFFFFFFF \\x00".split()),
    b"\n",
    b"\n  ",
    b": ",
    b"- ",
    b"? ",
    b"[[[[[[[[",
    b"\n---\n",
    b"%YAML 1.1\n---\n",
    "\u2028\u202e\u0085".encode(),
]
DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"


@st.composite
def mutants(draw: st.DrawFn) -> bytes:
    """A manifest with bytes flipped, pieces swapped, cut and repeated, and tokens strewn in."""
    data = bytearray(draw(st.sampled_from(CORPUS)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        until = min(len(data), at + draw(st.integers(0, 12)))
        kind = draw(st.sampled_from(["flip", "token", "cut", "repeat", "graft"]))
        if kind == "flip" and at < len(data):
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == "token":
            data[at:until] = draw(st.sampled_from(TOKENS))
        elif kind == "cut":
            del data[at:until]
        elif kind == "repeat":
            data[at:at] = data[at:until] * draw(st.integers(1, 3))
        else:
            other = draw(st.sampled_from(CORPUS))
            start = draw(st.integers(0, len(other)))
            data[at:until] = other[start : start + draw(st.integers(0, 80))]
    return bytes(data)


@settings(max_examples=100_000 if DEEP else 2_000)
@given(mutants())
def test_no_file_ends_in_a_traceback(data: bytes) -> None:
    """Either a manifest and no findings, or findings that all have a title and a place inside the file."""
    tree, manifest, found = read_file(data, "m.yaml")
    assert (manifest is None) == bool(found)
    assert manifest is None or tree is not None
    lines = data.count(b"\n") + data.count(b"\r") + 1
    for each in found:
        assert str(each)
        assert isinstance(each.place, Place)
        assert each.place.line <= lines
