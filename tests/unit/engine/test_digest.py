"""The digest of staged rows depends on the rows and on nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.fakes.pipelines import FILE, SYNC, Stage, field, pipeline

Bodies = Callable[..., list[str]]

ROWS = "email,n\n" + "".join(f"{n % 2_900}@x,{n}\n" for n in range(3_000)) + ",blank\n"


def test_threads_do_not_matter(staged: Stage) -> None:
    """One thread and two give the same digest."""
    made = pipeline("email", "n")
    assert staged(made, ROWS, threads=1).facts.rows_digest == staged(made, ROWS, threads=2).facts.rows_digest


def test_layout_does_not_matter(staged: Stage, tmp_path: Path) -> None:
    """The digest is over rows, not over how a file happens to be divided."""
    from syncer.engine import digest

    rows = staged(pipeline("email", "n"), ROWS)
    folder = rows.files.folder
    rows.connection.execute(
        f"COPY (FROM '{folder}/rows.parquet') TO '{tmp_path}/small.parquet' (FORMAT parquet, ROW_GROUP_SIZE 2048)"
    )
    (tmp_path / "small.parquet").replace(folder / "rows.parquet")
    assert digest.rows_digest(rows.connection) == rows.facts.rows_digest


def test_every_part_of_a_row_counts(staged: Stage) -> None:
    """Values, keys, order, waves and rejects each change the digest."""
    made = pipeline("email", "n")
    texts = [
        "email,n\na@x,1\nb@x,2\n",
        "email,n\na@x,1\nb@x,3\n",
        "email,n\na@x,1\nc@x,2\n",
        "email,n\nb@x,2\na@x,1\n",
        "email,n\na@x,1\na@x,2\n",
        "email,n\na@x,1\nb@x,2\n,3\n",
        "email,n\na@x,1\n,3\nb@x,2\n",
    ]
    assert len({staged(made, each).facts.rows_digest for each in texts}) == len(texts)


def test_the_digest_says_nothing_of_the_paths(staged: Stage, bodies: Bodies) -> None:
    """Rows staged for requests alone and rows staged for files too have the same hashes, and the same bodies."""
    made = pipeline("phone", "email", field("n", 'CAST("n" AS BIGINT)'), columns=["email", "phone"])
    text = 'email,phone,n\na@x.org,"1,2",7\nb@x.org,,\nA@X.org,"say ""hi""\n",1\n'
    requests = staged(made, text, {"sync": SYNC})
    files_too = staged(made, text, {"sync": SYNC, "bulk": FILE})
    assert requests.facts.rows_digest == files_too.facts.rows_digest
    assert bodies(requests, SYNC) == bodies(files_too, SYNC)
    assert bodies(requests, SYNC, wave=2) == bodies(files_too, SYNC, wave=2)
