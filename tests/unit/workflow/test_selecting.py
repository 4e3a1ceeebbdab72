"""What is said where words choose nothing: the nearest of what there is, or how words go together."""

from __future__ import annotations

import pytest

from syncer.errors import UserError
from syncer.workflow.selecting import choose
from tests.fakes.projects import manifest

MADE = manifest({"newsletter": {"tags": ["daily"]}, "people": {"target": "contacts", "tags": ["weekly"]}})


@pytest.mark.parametrize(
    ("word", "advice"),
    [
        ("newsleter", 'Did you mean "newsletter"?'),
        ("tag:dayly", 'Did you mean "daily"?'),
        ("tag:", "There is: daily, weekly."),
        ("connection:crn", 'Did you mean "crm"?'),
        ("newsletter,tag:dayly", 'Did you mean "daily"?'),
        (
            "newsletter,people",
            "Words with a comma between them must all hold. For any of them, say the option once for each.",
        ),
    ],
)
def test_a_word_that_chooses_nothing_is_helped_on(word: str, advice: str) -> None:
    """The kind of the word says what it is compared with."""
    with pytest.raises(UserError) as caught:
        choose(MADE, [word], (), None)
    assert (caught.value.code, caught.value.advice) == ("R903", advice)


def test_words_with_commas_must_all_hold_and_several_words_any() -> None:
    """An operation is chosen once, in the manifest's order."""
    assert choose(MADE, ["people", "news*,tag:daily"], (), None) == ("newsletter", "people")
    assert choose(MADE, ["connection:crm,tag:w*"], (), None) == ("people",)
