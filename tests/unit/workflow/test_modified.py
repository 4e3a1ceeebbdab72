"""`state:modified` against real repositories: what an operation is made of, and nothing else, makes it modified."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from syncer.errors import UserError
from syncer.manifest.read import read_project
from syncer.workflow import load
from tests.fast.served import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from syncer.workflow.modified import Changes

CONNECTIONS = """\
version: 1
vars: { region: emea, unused: 1 }
connections:
  marketo:
    system: marketo
    base_url: "{{ env.MARKETO_BASE_URL }}"
    client_id: "{{ env.MARKETO_CLIENT_ID }}"
    client_secret: "{{ secret.MARKETO_CLIENT_SECRET }}"
targets:
  leads: { connection: marketo, object: lead, key: email }
"""
NEWS = """\
version: 1
sources:
  contacts: { file: "data/contacts-*.csv" }
mappings:
  person: { email: "{{ email }}" }
  plain: { extends: [person], firstName: "{{ first_name }}", country: "{{ var.region }}" }
operations:
  news: { source: contacts, mapping: plain, target: leads }
"""
GUESTS = """\
version: 1
sources:
  guests: { file: guests.csv }
  cities: { file: cities.csv }
  recent: { sql: "select * from guests" }
mappings:
  guest: { email: "{{ who }}", city: "{{ who | lookup('cities', 'who', 'city') }}" }
operations:
  guests: { source: recent, mapping: guest, target: leads, tags: [weekly] }
"""
SNAPSHOT = "schemas/objects/marketo/lead.schema.json"
FILES = {
    "shop/connections.yaml": CONNECTIONS,
    "shop/news.yaml": NEWS,
    "shop/guests.yaml": GUESTS,
    "shop/data/contacts-1.csv": "email,first_name\nada@example.com,Ada\n",
    "shop/guests.csv": "who\nada@example.com\n",
    "shop/cities.csv": "who,city\nada@example.com,London\n",
    ".gitignore": "ignored*\n",
}


@dataclass(frozen=True, slots=True)
class Repo:
    """A repository with a project below it."""

    top: Path

    def git(self, *words: str) -> None:
        """Run git as somebody, whatever this machine is set to."""
        who = {
            f"GIT_{role}_{part}": "ada@example.com" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")
        }
        command = ["git", "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false", *words]
        subprocess.run(command, cwd=self.top, env={**os.environ, **who}, check=True, capture_output=True)  # noqa: S603

    def write(self, name: str, text: str) -> None:
        """Write a file below the top."""
        (self.top / name).parent.mkdir(parents=True, exist_ok=True)
        (self.top / name).write_text(text, encoding="utf-8")

    def change(self, name: str, old: str, new: str) -> None:
        """Replace words in a file; they must be there."""
        text = (self.top / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def since(self, base: str | None = "main", what: str = "shop") -> Changes:
        """Return what `state:modified` sees."""
        return load.changes_since(read_project(self.top / what), base)

    def chosen(self, *words: str) -> list[str]:
        """Return the operations that words choose."""
        return list(load.load(self.top / "shop", select=words, base="main").pipelines)


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """A commit on branch `main`, and a branch of our own."""
    for name in ("GITHUB_BASE_REF", "CI_MERGE_REQUEST_DIFF_BASE_SHA", "GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)
    made = Repo(tmp_path)
    made.git("init")
    for name, text in FILES.items():
        made.write(name, text)
    (tmp_path / SNAPSHOT).parent.mkdir(parents=True)
    shutil.copy(ROOT / SNAPSHOT, tmp_path / SNAPSHOT)
    made.git("add", "-A")
    made.git("commit", "-m", "first")
    made.git("checkout", "-b", "proposal")
    return made


def test_nothing_is_modified_at_first(repo: Repo) -> None:
    """The same files are the same operations, and choosing none of them is no error."""
    assert repo.since().modified == frozenset()
    assert repo.chosen("state:modified") == []


@pytest.mark.parametrize(
    ("name", "old", "new", "modified"),
    [
        pytest.param("shop/news.yaml", "target: leads }", "target: leads, only: all }", "news", id="its own text"),
        pytest.param("shop/news.yaml", "first_name }}", "first_name | trim }}", "news", id="its mapping"),
        pytest.param("shop/news.yaml", "{{ email }}", "{{ email | trim }}", "news", id="a mapping that is extended"),
        pytest.param("shop/guests.yaml", "from guests", "from guests where true", "guests", id="its source"),
        pytest.param("shop/guests.yaml", "guests.csv }", 'guests.csv, null_values: ["", "-"] }', "guests", id="sql"),
        pytest.param("shop/guests.yaml", "cities.csv }", 'cities.csv, null_values: ["-"] }', "guests", id="lookup"),
        pytest.param("shop/connections.yaml", "key: email", "key: id", "guests news", id="the target"),
        pytest.param("shop/connections.yaml", "secret.MARKETO_", "secret.OTHER_", "guests news", id="the connection"),
        pytest.param("shop/connections.yaml", "region: emea", "region: apac", "news", id="a variable it names"),
        pytest.param("shop/connections.yaml", "unused: 1", "unused: 2", "", id="a variable it does not name"),
        pytest.param("shop/data/contacts-1.csv", "Ada", "Augusta", "news", id="a data file"),
        pytest.param("shop/cities.csv", "London", "Paris", "guests", id="a data file that is looked up"),
        pytest.param("shop/guests.csv", "who\n", "who\nalan@example.com\n", "guests", id="a data file behind sql"),
        pytest.param(SNAPSHOT, '"email"', '"email" ', "guests news", id="the object's snapshot"),
        pytest.param("shop/news.yaml", "version: 1", "# Why.\nversion:   1", "", id="a comment and layout"),
    ],
)
def test_an_operation_is_all_that_it_is_made_of(repo: Repo, name: str, old: str, new: str, modified: str) -> None:
    """A change of any part makes it modified; a change elsewhere does not. Nothing need be committed for that."""
    repo.change(name, old, new)
    assert " ".join(sorted(repo.since().modified)) == modified


def test_new_renamed_and_gone_operations_are_told(repo: Repo) -> None:
    """A new name is modified, and one that is no more is named."""
    repo.change("shop/news.yaml", "  news:", "  letters:")
    since = repo.since()
    assert since.modified == {"letters"}
    assert since.gone == ("news",)


def test_a_data_file_more_in_a_pattern_counts(repo: Repo) -> None:
    """Also before it is added; what git is told to ignore is nobody's proposal."""
    repo.write("shop/data/contacts-2.csv", "email,first_name\nalan@example.com,Alan\n")
    assert repo.since().modified == {"news"}
    repo.write(".gitignore", "contacts-2*\n")
    assert repo.since().modified == frozenset()


def test_files_of_operations_do_not_matter(repo: Repo) -> None:
    """An operation that moves to another file is what it was."""
    repo.write("shop/all.yaml", NEWS)
    (repo.top / "shop/news.yaml").unlink()
    repo.git("add", "-A")
    repo.git("commit", "-m", "moved")
    assert repo.since().modified == frozenset()


def test_what_the_base_did_since_is_not_ours(repo: Repo) -> None:
    """The comparison is with the commit where the proposal left, not with the base as it is by now."""
    repo.git("checkout", "main")
    repo.change("shop/guests.csv", "ada", "grace")
    repo.git("commit", "-a", "-m", "second")
    repo.git("checkout", "proposal")
    repo.change("shop/news.yaml", "first_name }}", "first_name | trim }}")
    repo.git("commit", "-a", "-m", "ours")
    assert repo.since().modified == {"news"}


def test_a_project_that_was_not_there_is_all_new(repo: Repo) -> None:
    """Every operation of a new folder is modified, nothing is gone."""
    repo.git("mv", "shop", "store")
    since = repo.since(what="store")
    assert since.modified == {"news", "guests"}
    assert since.gone == ()


def test_a_base_with_errors_counts_as_all_modified(repo: Repo) -> None:
    """What cannot be compared is planned rather than left out."""
    repo.git("checkout", "main")
    repo.change("shop/news.yaml", "operations:", "operatons:")
    repo.git("commit", "-a", "-m", "broken")
    repo.change("shop/news.yaml", "operatons:", "operations:")
    since = repo.since()
    assert not since.is_readable
    assert since.modified == {"news", "guests"}


def test_one_file_is_compared_with_that_file(repo: Repo) -> None:
    """A project of one file does not see its neighbours, then or now."""
    repo.write("shop/news.yaml", NEWS + CONNECTIONS.partition("\n")[2])
    repo.git("commit", "-a", "-m", "in one")
    repo.git("branch", "-f", "main")
    repo.change("shop/news.yaml", "first_name }}", "first_name | trim }}")
    since = repo.since(what="shop/news.yaml")
    assert since.modified == {"news"}
    assert since.gone == ()


def test_words_join_and_meet(repo: Repo) -> None:
    """Words of several options are one or the other, with commas between them all must hold; * stands for any text."""
    repo.change("shop/connections.yaml", "region: emea", "region: apac")
    assert repo.chosen("state:modified", "tag:week*") == ["guests", "news"]
    assert repo.chosen("state:modified,tag:weekly") == []
    assert repo.chosen("state:modified,connection:mark*") == ["news"]
    assert repo.chosen("g*") == ["guests"]
    loaded = load.load(repo.top / "shop", exclude=("state:modified",), base="main")
    assert list(loaded.pipelines) == ["guests"]


@pytest.mark.parametrize(
    ("variable", "value"), [("GITHUB_BASE_REF", "main"), ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "proposal")]
)
def test_the_forge_says_the_base(repo: Repo, monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    """In a pull or merge request, `--base` need not be said."""
    repo.git("update-ref", "refs/remotes/origin/main", "main")
    monkeypatch.setenv(variable, value)
    repo.change("shop/news.yaml", "first_name }}", "first_name | trim }}")
    assert repo.since(None).modified == {"news"}


def test_a_word_that_is_none_is_refused(repo: Repo) -> None:
    """A misspelt kind or state is an error, and so is a name that nothing has."""
    for word in ("state:new", "stat:modified", "owner:me", "newz", "tag:daily"):
        with pytest.raises(UserError, match="R903"):
            repo.chosen(word)


def test_without_a_base_it_cannot_be_told(repo: Repo) -> None:
    """No base, a base that git does not know, one without a common commit: each says what to do."""
    with pytest.raises(UserError, match=r"R910.*\n.*compare with.*\n.*--base"):
        repo.since(None)
    with pytest.raises(UserError, match=r"R910.*\n.*no commit that this repository has.*\n.*fetch-depth: 0"):
        repo.since("nowhere")
    with pytest.raises(UserError, match="R910"):
        repo.since("--output=evil")
    repo.git("checkout", "--orphan", "island")
    repo.git("commit", "-m", "alone")
    with pytest.raises(UserError, match=r"R910.*\n.*no commit in common"):
        repo.since("main")


def test_without_git_it_cannot_be_told(repo: Repo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No repository, or no git at all, is said as it is."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    (tmp_path / ".git").rename(tmp_path / "git")
    with pytest.raises(UserError, match=r"R910.*\n.*in no git repository"):
        repo.since()
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(UserError, match=r"R910.*\n.*git is not installed"):
        repo.since()
