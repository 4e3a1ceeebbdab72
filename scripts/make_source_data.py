"""Writes the data of manifests/sources: a few invented rows in every format that a source can have.

The files are committed; run it again only to change the rows.
"""

from __future__ import annotations

import gzip
import sqlite3
from pathlib import Path

import duckdb

FOLDER = Path(__file__).parent.parent / "manifests" / "sources" / "data"

TEXTS = {
    "partners.csv": 'email,first name,note\nada@example.com,Ada,"Said: ""yes"", twice"\nbo@example.com,Bo,\n',
    "visitors.tsv": "email\tscore\tvisited\ncy@example.com\t12\t03.09.2026\ndi@example.com\t\t\n",
    "suppliers.ssv": "email;discount;company\neve@example.com;7;Eve & Söhne\nflo@example.com;NULL;Flo, Inc.\n",
    "shops/north.csv": "email,city\ngus@example.com,Oslo\n",
    "shops/south.csv": "email,city\nhal@example.com,Napoli\nivy@example.com,Αθήνα\n",
    "signups.jsonl": (
        '{"email": "jo@example.com", "revenue": 12345678901234.56, "tags": ["a", "b"]}\n'
        '{"email": "kim@example.com", "vip": true}\n'
    ),
    "countries.csv": "code,name\nNO,Norway\nIT,Italy\n",
}
ENCODED = {
    "resellers.csv": ("latin-1", "'email','city'\n'sam@example.com','Malmö'\n'tom@example.com','L''Aquila'\n"),
    "exhibitors.txt": ("utf-16", "email\tcity\numa@example.com\tGdańsk\nvic@example.com\tKraków\n"),
}
PACKED = {"archive.csv.gz": "email,country\nlea@example.com,NO\nmax@example.com,IT\nned@example.com,XX\n"}
PARQUET = """
    SELECT * FROM (VALUES
        ('ora@example.com', 4200, DATE '1990-05-17'), ('pia@example.com', NULL, NULL)
    ) AS rows(email, number, born)
"""
TABLES = """
    CREATE TABLE members (id INTEGER, email TEXT, joined TEXT);
    INSERT INTO members VALUES (2, 'quin@example.com', '2026-02-01'), (1, 'ray@example.com', '2026-01-31');
    CREATE TABLE visits (id INTEGER, member INTEGER);
    INSERT INTO visits VALUES (1, 1), (2, 1), (3, 2);
"""


def main() -> None:
    """Write every file anew."""
    for name, text in TEXTS.items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name, (encoding, text) in ENCODED.items():
        (FOLDER / name).write_bytes(text.encode(encoding))
    for name, text in PACKED.items():
        (FOLDER / name).write_bytes(gzip.compress(text.encode(), mtime=0))
    duckdb.execute(f"COPY ({PARQUET}) TO '{FOLDER / 'customers.parquet'}' (FORMAT parquet)")
    path = FOLDER / "club.db"
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as club:
        club.executescript(TABLES)
    club.close()


if __name__ == "__main__":
    main()
