"""Rules about sources."""

# ruff: noqa: E501 - golden text is as long as what people see

from __future__ import annotations

from collections.abc import Callable

Say = Callable[..., str]
Said = Callable[[str], str]


def test_a_source_has_exactly_one_kind(checked: Say, said: Said) -> None:
    """None, two or half a kind are told."""
    told = checked(
        "M210",
        """
        version: 1
        sources:
          none: { columns: { a: date } }
          two: { file: a.csv, connection: m, object: lead }
          three: { file: a.csv, database: "{{ secret.D }}", sql: select 1, connection: m }
          half: { database: "{{ secret.D }}" }
          object: { connection: m }
          file: { file: a.csv }
          query: { sql: select 1 }
          base: { database: "{{ secret.D }}", sql: select 1 }
    """,
    )
    assert told == said("""
        m.yaml:3:3: error M210: Source is not whole
          The source "none" does not say where its rows come from.
          Add one of "file", "database", "sql" and "connection".

        m.yaml:4:3: error M210: Source is not whole
          The source "two" has "file" and "connection", and can have only one of them.
          Keep the one that is meant.

        m.yaml:5:3: error M210: Source is not whole
          The source "three" has "file", "database" and "connection", and can have only one of them.
          Keep the one that is meant.

        m.yaml:6:3: error M210: Source is not whole
          The source "half" reads a database but does not say what.
          Add "sql".

        m.yaml:7:3: error M210: Source is not whole
          The source "object" reads a connection but does not say what.
          Add "object".
    """)


def test_an_option_that_the_kind_cannot_use_is_told(checked: Say, said: Said) -> None:
    """A member that would have no effect does not stand there."""
    told = checked(
        "M211",
        """
        version: 1
        sources:
          a: { file: a.csv, cursor: b, where: x }
          b: { database: "{{ secret.D }}", sql: select 1, delimiter: ";" }
          c: { sql: select 1, object: lead }
          d: { connection: m, object: lead, quote: "'" }
          e: { columns: {} }
    """,
    )
    assert told == said("""
        m.yaml:3:32: error M211: Option does not fit the source
          The source "a" is of the kind "file", which has no use for "where".
          Remove it.

        m.yaml:4:51: error M211: Option does not fit the source
          The source "b" is of the kind "database", which has no use for "delimiter".
          Remove it.

        m.yaml:5:23: error M211: Option does not fit the source
          The source "c" is of the kind "sql", which has no use for "object".
          Remove it.

        m.yaml:6:37: error M211: Option does not fit the source
          The source "d" is of the kind "connection", which has no use for "quote".
          Remove it.
    """)


def test_the_format_of_a_file_is_told_by_its_name_or_said(checked: Say, said: Said) -> None:
    """Endings are read through compression; nothing is guessed from the content."""
    told = checked(
        "M211",
        """
        version: 1
        sources:
          a: { file: a.csv.gz }
          b: { file: a.txt }
          c: { file: a.txt, format: tsv }
          d: { file: "data/{{ var.x }}" }
          e: { file: a.parquet, delimiter: ";" }
          f: { file: ab.jsonl.gz, encoding: latin-1 }
    """,
    )
    assert told == said("""
        m.yaml:4:14: error M211: Option does not fit the source
          The name of the file does not tell the format of the source "b".
          Add "format": one of csv, tsv, ssv, jsonl, parquet.

        m.yaml:6:14: error M211: Option does not fit the source
          The name of the file does not tell the format of the source "d".
          Add "format": one of csv, tsv, ssv, jsonl, parquet.

        m.yaml:7:25: error M211: Option does not fit the source
          The format parquet has no use for "delimiter".
          Remove it.

        m.yaml:8:27: error M211: Option does not fit the source
          The format jsonl has no use for "encoding".
          Remove it.
    """)


def test_delimiter_and_quote_are_one_character_each(checked: Say, said: Said) -> None:
    """Two characters, none, a line end, or the same twice are told."""
    told = checked(
        "M211",
        """
        version: 1
        sources:
          a: { file: a.csv, delimiter: "||", quote: "" }
          b: { file: a.csv, delimiter: "\\n" }
          c: { file: a.csv, delimiter: ";", quote: ";" }
          d: { file: a.csv, delimiter: ";", quote: "'" }
    """,
    )
    assert told == said("""
        m.yaml:3:32: error M211: Option does not fit the source
          "delimiter" must be one character.

        m.yaml:3:45: error M211: Option does not fit the source
          "quote" must be one character.

        m.yaml:4:32: error M211: Option does not fit the source
          "delimiter" must be one character.

        m.yaml:5:44: error M211: Option does not fit the source
          "quote" and "delimiter" must differ.
    """)


def test_only_dates_take_a_format(checked: Say, said: Said) -> None:
    """A format on a number is told."""
    told = checked(
        "M221",
        """
        version: 1
        sources:
          a: { file: a.csv, columns: { a: { type: integer, format: "%d" }, b: { type: date, format: "%d.%m.%Y" }, c: date } }
    """,
    )
    assert told == said("""
        m.yaml:3:60: error M221: Column format does not fit
          The column "a" is integer, and only date, datetime and moment take a format.
          Remove the format, or declare the type.
    """)


def test_a_zone_in_a_format_belongs_to_moments(checked: Say, said: Said) -> None:
    """A time on a clock reads no zone, a moment reads its offset, and no name of a zone is read."""
    told = checked(
        "M221",
        """
        version: 1
        sources:
          a:
            file: a.csv
            columns:
              a: { type: datetime, format: "%d.%m.%Y %H:%M %z" }
              b: { type: moment, format: "%d.%m.%Y %H:%M" }
              c: { type: moment, format: "%d.%m.%Y %H:%M %Z" }
              d: { type: moment, format: "%d.%m.%Y %H:%M %z" }
    """,
    )
    assert told == said("""
        m.yaml:6:36: error M221: Column format does not fit
          The format of column "a" reads a time zone, and datetime has none.
          Declare the column as moment, and read the zone as an offset with "%z".

        m.yaml:7:34: error M221: Column format does not fit
          The format of column "b" reads no time zone, and a moment has one.
          Read its offset with "%z", or declare the column as datetime and name the zone in the mapping.

        m.yaml:8:34: error M221: Column format does not fit
          The format of column "c" reads the name of a zone, which is not one and the same everywhere.
          Declare the column as moment, and read the zone as an offset with "%z".
    """)


def test_declared_columns_are_columns_of_the_header(checked: Say, said: Said) -> None:
    """A misspelt column is told with the nearest one."""
    told = checked(
        "M218",
        """
        version: 1
        sources:
          a: { database: "{{ secret.D }}", sql: select 1, columns: { employes: integer, employees: integer }, cursor: change_at }
          b: { connection: m, object: lead, cursor: id }
          c: { file: a.csv, columns: { anything: date } }
    """,
        columns={"a": ["employees", "changed_at"], "b": ["id"]},
    )
    assert told == said("""
        m.yaml:3:62: error M218: Unknown source column
          The source "a" has no column "employes".
          Did you mean "employees"?

        m.yaml:3:111: error M218: Unknown source column
          The source "a" has no column "change_at" to go on from.
          Did you mean "changed_at"?
    """)


def test_what_no_source_reads_is_refused(checked: Say, said: Said) -> None:
    """A connection that had no effect would look as if it had one."""
    told = checked(
        "M222",
        """
        version: 1
        sources:
          b: { connection: m, object: lead, cursor: id }
    """,
    )
    assert told == said("""
        m.yaml:3:20: error M222: Not supported
          The source "b" reads records of a connection, which is not supported.
          Export the records to a file, and read that.
    """)


def test_a_cursor_goes_by_what_has_one_order(checked: Say, said: Said) -> None:
    """Text sorts otherwise in every database; what is not declared is text."""
    told = checked(
        "M223",
        """
        version: 1
        sources:
          a: { database: "{{ secret.D }}", sql: select 1, cursor: id }
          b: { file: b.csv, cursor: id, columns: { id: text } }
          c: { file: c.csv, cursor: id, columns: { id: { type: decimal } } }
          d: { file: d.csv, cursor: id, columns: { id: integer } }
          e: { file: e.csv, cursor: at, columns: { at: { type: datetime } } }
          f: { connection: m, object: lead, cursor: id }
    """,
    )
    assert told == said("""
        m.yaml:3:59: error M223: A cursor cannot go by this
          The cursor "id" of source "a" is not declared as a number or a time.
          Add "columns: { id: datetime }", or integer, or date.

        m.yaml:4:29: error M223: A cursor cannot go by this
          The cursor "id" of source "b" is not declared as a number or a time.
          Add "columns: { id: datetime }", or integer, or date.

        m.yaml:5:29: error M223: A cursor cannot go by this
          The cursor "id" of source "c" is not declared as a number or a time.
          Add "columns: { id: datetime }", or integer, or date.
    """)


def test_rules_that_need_old_rows_do_not_fit_a_cursor(checked: Say, said: Said) -> None:
    """Nor do actions that would add the rows at the cursor twice."""
    told = checked(
        "M223",
        """
        version: 1
        connections:
          m: { system: marketo, base_url: "{{ env.U }}", client_id: "{{ env.I }}", client_secret: "{{ secret.S }}" }
        sources:
          rows: { file: a.csv, cursor: id, columns: { id: integer } }
        targets:
          leads: { connection: m, object: lead, key: email }
        mappings:
          row_to_lead: { email: "{{ email }}" }
        operations:
          a: { source: rows, mapping: row_to_lead, target: leads, duplicates: merge }
          b: { source: rows, mapping: row_to_lead, target: leads, duplicates: first }
          c: { source: rows, mapping: row_to_lead, target: leads, action: create, only: all }
          d: { source: rows, mapping: row_to_lead, target: leads, activity: allowed, program: p, only: all }
          e: { source: rows, mapping: row_to_lead, target: leads, only: all }
          f: { source: rows, mapping: row_to_lead, target: leads, action: create, duplicates: last }
    """,
    )
    assert told == said("""
        m.yaml:11:71: error M223: A cursor cannot go by this
          "duplicates: merge" needs all rows of a key, and a cursor leaves out the old ones.
          Use serialize, last or reject.

        m.yaml:12:71: error M223: A cursor cannot go by this
          "duplicates: first" needs all rows of a key, and a cursor leaves out the old ones.
          Use serialize, last or reject.

        m.yaml:13:81: error M223: A cursor cannot go by this
          Rows at the cursor are read again, and with "only: all" operation "c" would add them twice.
          Remove "only".

        m.yaml:14:96: error M223: A cursor cannot go by this
          Rows at the cursor are read again, and with "only: all" operation "d" would add them twice.
          Remove "only".
    """)
