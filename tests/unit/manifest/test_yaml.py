"""YAML's traps end in a message with a place, whichever version of YAML set them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from syncer.errors import ManifestError
from syncer.manifest.compose import compose
from syncer.manifest.positions import plain_data
from syncer.manifest.read import read_file

Say = Callable[..., str]
Said = Callable[[str], str]


def test_an_empty_file_says_so(findings: Say, said: Said) -> None:
    """A file of comments only is an error, not an empty project."""
    told = findings(
        """
        # later
    """,
    )
    assert told == said("""
        m.yaml: error M107: Manifest is empty
          The file says nothing.
          Start with "version: 1", or remove the file.
    """)


def test_a_member_written_twice_is_told_with_both_places(findings: Say, said: Said) -> None:
    """The last one does not win without a word."""
    told = findings(
        """
        version: 1
        vars:
          a: 1
          b: 2
          a: 3
    """,
    )
    assert told == said("""
        m.yaml:5:3: error M109: Member is written twice
          "a" is already written at line 3, column 3.
          Keep one of the two.
    """)


def test_words_that_old_readers_take_for_truth_values_need_quotes(findings: Say, said: Said) -> None:
    """`no` and `on` are asked for quotes, as values and as names."""
    told = findings(
        """
        version: 1
        vars:
          country: NO
          on: plain
          fine: 'off'
    """,
    )
    assert told == said("""
        m.yaml:3:12: error M113: Readers of YAML disagree
          "NO" is text in YAML 1.2 and false in YAML 1.1, so readers disagree.
          Write "NO" in quotes for text, or false for a truth value.

        m.yaml:4:3: error M113: Readers of YAML disagree
          "on" is text in YAML 1.2 and true in YAML 1.1, so readers disagree.
          Write "on" in quotes for text, or true for a truth value.
    """)


def test_numbers_that_old_readers_take_for_others_need_quotes(findings: Say, said: Said) -> None:
    """Octal, sexagesimal, grouped, binary and signed hexadecimal forms are asked for quotes."""
    told = findings(
        """
        version: 1
        vars: { a: 0777, b: 1_000, c: 22:22, d: 0b11, e: 0o17, f: -0x1F }
    """,
    )
    assert told == said("""
        m.yaml:2:12: error M113: Readers of YAML disagree
          "0777" is read as different values by YAML 1.1 and YAML 1.2.
          Write it in quotes for text, or as a plain decimal number.

        m.yaml:2:21: error M113: Readers of YAML disagree
          "1_000" is read as different values by YAML 1.1 and YAML 1.2.
          Write it in quotes for text, or as a plain decimal number.

        m.yaml:2:31: error M113: Readers of YAML disagree
          "22:22" is read as different values by YAML 1.1 and YAML 1.2.
          Write it in quotes for text, or as a plain decimal number.

        m.yaml:2:41: error M113: Readers of YAML disagree
          "0b11" is read as different values by YAML 1.1 and YAML 1.2.
          Write it in quotes for text, or as a plain decimal number.

        m.yaml:2:50: error M113: Readers of YAML disagree
          "0o17" is read as different values by YAML 1.1 and YAML 1.2.
          Write it in quotes for text, or as a plain decimal number.

        m.yaml:2:59: error M113: Readers of YAML disagree
          "-0x1F" is read as different values by YAML 1.1 and YAML 1.2.
          Write it in quotes for text, or as a plain decimal number.
    """)


def test_numbers_that_would_lose_digits_need_quotes(findings: Say, said: Said) -> None:
    """A version such as 1.10 keeps its zero, an id of 30 digits its digits, and nothing is infinite."""
    told = findings(
        """
        version: 1
        vars:
          a: 1.10
          b: 123456789012345678901234567890
          c: .inf
          d: .nan
          e: 1e3
    """,
    )
    assert told == said("""
        m.yaml:3:6: error M114: Number would not stay as written
          "1.10" is a number to YAML and would be read as 1.1.
          Write it in quotes for text, or in the form that it would be read as.

        m.yaml:4:6: error M114: Number would not stay as written
          "123456789012345678901234567890" is a number of more than 18 digits.
          Write it in quotes to keep every digit.

        m.yaml:5:6: error M114: Number would not stay as written
          ".inf" is no finite number.
          Write it in quotes for text.

        m.yaml:6:6: error M114: Number would not stay as written
          ".nan" is no finite number.
          Write it in quotes for text.

        m.yaml:7:6: error M114: Number would not stay as written
          "1e3" is a number to YAML and would be read as 1000.0.
          Write it in quotes for text, or in the form that it would be read as.
    """)


def test_dates_and_impossible_dates_are_text(findings: Say) -> None:
    """A date is no surprise: it is text to the reader and in the manifest."""
    told = findings(
        """
        version: 1
        vars: { a: 2024-01-02, b: 2024-13-45, c: 0x1F, d: -7, e: 2.5, f: true, g: 'x', h: 1.5e+300, i: y }
    """,
    )
    assert told == ""


def test_tags_are_refused(findings: Say, said: Said) -> None:
    """No tag is obeyed, harmless or not."""
    told = findings(
        """
        version: !!int 1
        vars: !!python/object/apply:os.system [ls]
    """,
    )
    assert told == said("""
        m.yaml:1:10: error M110: Tags are not allowed
          A tag stands here.
          Remove it: a manifest holds text, numbers, true and false.

        m.yaml:2:7: error M110: Tags are not allowed
          A tag stands here.
          Remove it: a manifest holds text, numbers, true and false.
    """)


def test_an_alias_inside_what_it_names_is_refused(findings: Say, said: Said) -> None:
    """A value cannot contain itself."""
    told = findings(
        """
        version: 1
        vars: &a { x: *a }
    """,
    )
    assert told == said("""
        m.yaml:2:15: error M111: Alias cannot be followed
          The alias "a" stands inside what it names.
          Write the value out.
    """)


def test_an_alias_of_nothing_is_refused(findings: Say, said: Said) -> None:
    """An alias must name something above it."""
    told = findings(
        """
        version: 1
        vars: *a
    """,
    )
    assert told == said("""
        m.yaml:2:7: error M111: Alias cannot be followed
          The alias "a" names nothing above it.
          Write the value out.
    """)


def test_a_merge_key_is_refused(findings: Say, said: Said) -> None:
    """`<<` hides which value wins; members beside it are still read."""
    told = findings(
        """
        version: 1
        vars:
          <<: { a: 1 }
          b: [2]
    """,
    )
    assert told == said("""
        m.yaml:3:3: error M115: Merge keys are not allowed
          The merge key "<<" overrides members without a trace.
          Write the members out; mappings can use "extends".

        m.yaml:4:6: error M122: Wrong kind of value
          "vars.b" must be text, a number or true or false, but is a list.
    """)


def test_a_tab_cannot_indent(findings: Say, said: Said) -> None:
    """The message says tab, not token."""
    told = findings("version: 1\nvars:\n\ta: 1\n")
    assert told == said("""
        m.yaml:3:1: error M106: YAML cannot be read
          A tab stands where YAML wants spaces.
          Indent with spaces.
    """)


def test_a_broken_bracket_is_told_where_reading_stops(findings: Say, said: Said) -> None:
    """Grammar errors have a place too."""
    told = findings(
        """
        version: 1
        vars: [1
    """,
    )
    assert told == said("""
        m.yaml:3:1: error M106: YAML cannot be read
          YAML cannot be read from here on: expected ',' or ']', but got '<stream end>'.
          Look at quotes, brackets, colons and indentation here and just above.
    """)


def test_an_escape_of_no_character_is_told(findings: Say, said: Said) -> None:
    """An escape beyond Unicode ends in a message."""
    told = findings(
        """
        version: 1
        vars: { a: "\\UFFFFFFFF" }
    """,
    )
    assert told == said("""
        m.yaml:2:13: error M106: YAML cannot be read
          YAML cannot be read from here on: an escape names no character.
          Look at quotes, brackets, colons and indentation here and just above.
    """)


def test_a_second_document_is_refused(findings: Say, said: Said) -> None:
    """No document of a file is overlooked."""
    told = findings(
        """
        version: 1
        ---
        version: 1
    """,
    )
    assert told == said("""
        m.yaml:2:1: error M108: More than one document
          A second document starts here.
          Move it into its own file.
    """)


def test_directives_are_refused(findings: Say, said: Said) -> None:
    """A file cannot ask for YAML 1.1."""
    told = findings(
        """
        %YAML 1.1
        ---
        version: 1
    """,
    )
    assert told == said("""
        m.yaml:2:1: error M117: Directives are not allowed
          The document opens with a directive.
          Remove the line that starts with "%".
    """)


def test_directives_of_unknown_versions_are_refused(findings: Say, said: Said) -> None:
    """A version that the parser itself does not know is no other case."""
    told = findings(
        """
        # A file.
        %YAML 1.0
        ---
        version: 1
    """,
    )
    assert told == said("""
        m.yaml:2:1: error M117: Directives are not allowed
          The document opens with a directive.
          Remove the line that starts with "%".
    """)


def test_names_of_members_are_text(findings: Say, said: Said) -> None:
    """Numbers, truth values, null and lists name nothing."""
    told = findings(
        """
        version: 1
        vars:
          1: a
          true: b
          ~: c
          [d]: e
          f: g
    """,
    )
    assert told == said("""
        m.yaml:3:3: error M116: Member's name must be text
          A member's name is no text here.
          Write it in quotes.

        m.yaml:4:3: error M116: Member's name must be text
          A member's name is no text here.
          Write it in quotes.

        m.yaml:5:3: error M116: Member's name must be text
          A member's name is no text here.
          Write it in quotes.

        m.yaml:6:3: error M116: Member's name must be text
          A member's name is no text here.
          Write it in quotes.
    """)


def test_a_list_is_no_manifest(findings: Say, said: Said) -> None:
    """The top of a file is a mapping."""
    told = findings(
        """
        - version: 1
    """,
    )
    assert told == said("""
        m.yaml:1:1: error M122: Wrong kind of value
          A manifest is a mapping of sections, and this is not.
          Start with "version: 1".
    """)


def test_a_plain_word_is_no_manifest(findings: Say, said: Said) -> None:
    """The top of a file is a mapping."""
    told = findings(
        """
        hello
    """,
    )
    assert told == said("""
        m.yaml:1:1: error M122: Wrong kind of value
          A manifest is a mapping of sections, and this is not.
          Start with "version: 1".
    """)


def test_half_a_surrogate_pair_is_refused(findings: Say, said: Said) -> None:
    """JSON's way to write an emoji has no meaning in YAML."""
    told = findings(
        """
        version: 1
        vars: { a: "x\\ud800" }
    """,
    )
    assert told == said("""
        m.yaml:2:14: error M105: Character is not allowed
          The text holds the character U+D800, which no target takes.
          Remove it; characters beyond U+FFFF are written as themselves.
    """)


def test_a_secret_is_not_shown_when_its_form_is_refused(findings: Say, said: Said) -> None:
    """The message about a value beside a secret's name keeps quiet about it."""
    told = findings(
        """
        version: 1
        vars: { api_token: 0123_456 }
    """,
    )
    assert told == said("""
        m.yaml:2:20: error M113: Readers of YAML disagree
          The value is not plain text.
          Write it in quotes.
    """)


def test_a_long_value_is_shown_in_part(findings: Say, said: Said) -> None:
    """A message stays readable."""
    told = findings(
        """
        version: 1
        vars: { a: 1_000000000000000000000000000000000000000000000000000000000000 }
    """,
    )
    assert told == said("""
        m.yaml:2:12: error M113: Readers of YAML disagree
          "1_00000000000000000000000000000000000..." is read as different values by YAML 1.1 and YAML 1.2.
          Write it in quotes for text, or as a plain decimal number.
    """)


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x7f", "\ufeff", "\u202e", "\ufffe"])
def test_invisible_characters_are_refused_with_their_place(findings: Say, character: str) -> None:
    """A control character, and one that reorders what a reviewer sees, is told by its number."""
    told = findings(files={"m.yaml": f"version: 1\nvars: {{ a: 'x{character}' }}\n".encode()})
    assert told.startswith(
        f"m.yaml:2:14: error M105: Character is not allowed\n  The character U+{ord(character):04X} is"
    )


def test_many_invisible_characters_give_ten_findings() -> None:
    """A binary file does not flood the screen."""
    _, found = compose("\x00" * 5_000, "m.yaml")
    assert len(found) == 10


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    """What Windows editors write is read."""
    _, manifest, found = read_file(b"\xef\xbb\xbfversion: 1\n", "m.yaml")
    assert (manifest is not None, found) == (True, [])


def test_delimiters_may_be_written_as_escapes() -> None:
    """The two control characters that serve as delimiters pass, where they are visible."""
    tree, found = compose('a: "\\x01\\x1f\\t"', "m.yaml")
    assert (tree and plain_data(tree), found) == ({"a": "\x01\x1f\t"}, [])


def test_nesting_ends_at_fifty() -> None:
    """Fifty levels are read, one more is told, and three thousand end no process."""
    assert compose("[" * 50 + "]" * 50, "m.yaml")[1] == []
    for depth in (51, 3_000):
        tree, found = compose("[" * depth + "]" * depth, "m.yaml")
        assert (tree, [str(each.place) for each in found]) == (None, ["m.yaml:1:51"])


def test_nesting_cannot_be_deepened_by_aliases() -> None:
    """An alias counts with all that it stands for."""
    tree, found = compose(f"a: &a {'[' * 30}{']' * 30}\nb: {'[' * 20}*a{']' * 20}\n", "m.yaml")
    assert (tree, [each.code for each in found]) == (None, ["M112"])


def test_laughs_by_the_billion_are_counted_not_expanded() -> None:
    """Nine lists of nine aliases each stand for more values than are read."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    tree, found = compose("\n".join(lines), "m.yaml")
    assert tree is None
    assert [each.detail for each in found] == ["The file holds more than 100,000 values, aliases written out."]


def test_a_hundred_aliases_are_enough() -> None:
    """The hundred and first is told."""
    assert compose(f"a: &a x\nb: [{'*a, ' * 100}]", "m.yaml")[1] == []
    _, found = compose(f"a: &a x\nb: [{'*a, ' * 101}]", "m.yaml")
    assert [each.detail for each in found] == ["The file holds more than 100 aliases."]


def test_an_alias_gives_the_value_and_the_place_it_names() -> None:
    """A mapping and a scalar can be used twice, as a name too."""
    tree, found = compose("a: &a { x: &b y }\n*b : *a\n", "m.yaml")
    assert (tree and plain_data(tree), found) == ({"a": {"x": "y"}, "y": {"x": "y"}}, [])


def test_files_that_nobody_reviewed_hold_no_aliases() -> None:
    """The first alias of an untrusted file is refused."""
    _, _, found = read_file(b"version: 1\nvars: { a: &a x, b: *a }\n", "m.yaml", allows_aliases=False)
    assert [each.detail for each in found] == ["Aliases are not read from files that nobody has reviewed."]


def test_lines_are_counted_as_editors_count_them() -> None:
    """CR, LF and both together end a line; other separators of Unicode do not."""
    _, found = compose('a: 1\rb: 2\r\nc: "\u2028"\nd: no', "m.yaml")
    assert [str(each.place) for each in found] == ["m.yaml:4:4"]


def test_a_scalar_alone_is_settled_too(findings: Say) -> None:
    """A file that is one surprising word is told of both."""
    assert findings("no") == (
        "m.yaml:1:1: error M113: Readers of YAML disagree\n"
        '  "no" is text in YAML 1.2 and false in YAML 1.1, so readers disagree.\n'
        '  Write "no" in quotes for text, or false for a truth value.\n\n'
        "m.yaml:1:1: error M122: Wrong kind of value\n"
        "  A manifest is a mapping of sections, and this is not.\n"
        '  Start with "version: 1".\n'
    )


def test_an_exception_carries_no_value_of_the_file(findings: Say) -> None:
    """What the models saw, secrets among it, hangs on no exception's chain."""
    with pytest.raises(ManifestError) as caught:
        raise ManifestError(read_file(b"version: 1\nconnections: { a: { client_secret: [hush] } }\n", "m.yaml")[2])
    assert "hush" not in str(caught.value) + repr(caught.value.__cause__) + repr(caught.value.__context__)
    assert findings("version: 1\n") == ""
