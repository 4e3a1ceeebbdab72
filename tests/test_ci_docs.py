"""The workflows of docs/ci do what docs/ci.md says: each command of theirs is run against the sandbox."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from syncer.cli.exits import Exit
from syncer.cli.views.github import outputs
from tests.fakes import projects
from tests.fast.served import ROOT, serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.fast.served import Served

DOCS = ROOT / "docs"
COMMON = ROOT / "tests" / "scenarios" / "common"
_EXPRESSION = re.compile(r"\$\{\{ *([\w.]+) *\}\}")
_PROGRAM = """#!/bin/sh
verb=$1; shift
case $verb in plan|apply) set -- --sandbox "$@";; esac
exec {command} "$verb" "$@"
"""


def read(name: str) -> dict[str, Any]:
    """Return a workflow."""
    found: dict[str, Any] = YAML(typ="safe").load((DOCS / "ci" / name).read_text(encoding="utf-8"))
    return found


def git(top: Path, *words: str) -> str:
    """Run git as somebody, whatever this machine is set to."""
    who = {f"GIT_{role}_{part}": "ada@example.com" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    command = ["git", "-c", "commit.gpgsign=false", *words]
    done = subprocess.run(command, cwd=top, env={**os.environ, **who}, check=True, capture_output=True, text=True)  # noqa: S603
    return done.stdout.strip()


@dataclass
class Runner:
    """A machine that checks the project out afresh for each job and runs commands as a forge does."""

    folder: Path
    served: Served
    artifacts: dict[str, bytes] = field(default_factory=dict)
    jobs: int = 0

    def environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        """Return what a step sees: no secret that its job does not name."""
        known = self.served.environment()
        programs = self.folder / "bin"
        kept = {name: known[name] for name in ("HOME", "LANG") if name in known}
        return {**kept, "PATH": f"{programs}:{known['PATH']}", "COLUMNS": "100", **extra}

    def checkout(self) -> Path:
        """Return a fresh copy of a project that has its manifests in a folder."""
        self.jobs += 1
        top = self.folder / f"job{self.jobs}"
        (top / "manifests").mkdir(parents=True)
        (top / "schemas").symlink_to(ROOT / "schemas")
        for name in ("connections.yaml", "newsletter.yaml", "contacts.csv"):
            (top / "manifests" / name).write_bytes((COMMON / name).read_bytes())
        self.commit(top)
        return top

    def commit(self, top: Path) -> None:
        """Make a repository of the checkout; its target branch has another mapping of the newsletter."""
        manifest = top / "manifests" / "newsletter.yaml"
        ours = manifest.read_text(encoding="utf-8")
        assert "{{ first_name }}" in ours
        manifest.write_text(ours.replace("{{ first_name }}", "{{ first_name | trim }}"), encoding="utf-8")
        git(top, "init")
        git(top, "add", "-A")
        git(top, "commit", "-m", "target")
        git(top, "update-ref", "refs/remotes/origin/main", "HEAD")
        manifest.write_text(ours, encoding="utf-8")
        git(top, "commit", "-a", "-m", "proposal")

    def run(self, command: str, top: Path, extra: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run one step's script."""
        return subprocess.run(  # noqa: S603 - a step of our own workflow
            ["/bin/bash", "-eo", "pipefail", "-c", command],
            cwd=top,
            env=self.environment(extra),
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """One sandbox for all workflows."""
    with serving() as found:
        yield found


@pytest.fixture
def runner(served: Served, tmp_path: Path) -> Runner:
    """An idle runner; `pip` is there and installs nothing."""
    served.ask("reset", {})
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "syncer").write_text(_PROGRAM.format(command=shlex.join(served.command())), encoding="utf-8")
    (programs / "pip").write_text('#!/bin/sh\ntest "$*" = "install syncer"\n', encoding="utf-8")
    for each in programs.iterdir():
        each.chmod(0o700)
    return Runner(tmp_path, served)


class GitHub:
    """Runs jobs of a workflow as GitHub Actions does, as far as this one asks for it."""

    def __init__(self, runner: Runner) -> None:
        """Read the workflow; variables and secrets are the sandbox's."""
        self.runner = runner
        self.workflow = read("github.yml")
        self.known = {
            f"{kind}.{name}": value
            for kind in ("vars", "secrets")
            for name, value in runner.served.credentials().items()
        }
        self.known["vars.SYNCER_STATE"] = str(runner.folder / "state")
        self.known["secrets.SYNCER_PLAN_KEY"] = ""
        self.said: list[str] = []

    def filled(self, text: str) -> str:
        """Replace expressions."""
        return _EXPRESSION.sub(lambda found: self.known[found[1]], text)

    def job(self, name: str) -> int:
        """Run a job; return the exit code of the step that failed, or 0."""
        job = self.workflow["jobs"][name]
        top = self.runner.checkout()
        files = {each: top / f"{each.lower()}.txt" for each in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        extra = {each: str(path) for each, path in files.items()} | {"GITHUB_WORKSPACE": str(top)}
        extra |= {"GITHUB_BASE_REF": "main"} if "pull_request" in job.get("if", "") else {}
        extra |= {key: self.filled(value) for key, value in job.get("env", {}).items()}
        for step in job["steps"]:
            if "uses" in step:
                self.action(step, top)
                continue
            files["GITHUB_OUTPUT"].write_text("", encoding="utf-8")
            done = self.runner.run(step["run"], top, extra)
            self.said += [done.stdout, done.stderr]
            if done.returncode:
                return done.returncode
            for line in files["GITHUB_OUTPUT"].read_text(encoding="utf-8").splitlines():
                key, _, value = line.partition("=")
                self.known[f"steps.{step.get('id')}.outputs.{key}"] = value
        for key, value in job.get("outputs", {}).items():
            self.known[f"needs.{name}.outputs.{key}"] = self.filled(value)
        return 0

    def action(self, step: dict[str, Any], top: Path) -> None:
        """Do what the few actions do."""
        name = step["uses"].partition("@")[0]
        if name == "actions/upload-artifact":
            self.runner.artifacts = {each.name: each.read_bytes() for each in top.glob(step["with"]["path"])}
        elif name == "actions/download-artifact":
            for file, content in self.runner.artifacts.items():
                (top / file).write_bytes(content)
        else:
            assert name in {"actions/checkout", "actions/setup-python"}


def test_a_proposal_is_checked_without_secrets(runner: Runner) -> None:
    """The pull request's job has no environment, opens no connection, and leaves a summary to read."""
    actions = GitHub(runner)
    assert "env" not in actions.workflow["jobs"]["check"]
    assert actions.job("check") == 0
    text = "".join(actions.said)
    assert "::notice file=manifests/newsletter.yaml,line=17,col=3,title=newsletter%3A upsert lead by email::" in text
    assert runner.served.ask("log") == []
    assert "### Plan" in (runner.folder / "job1" / "github_step_summary.txt").read_text(encoding="utf-8")


def test_a_proposal_is_planned_as_far_as_it_changes_something(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operation that the proposal does not touch is not in its plan; without a change there is nothing to do."""
    actions = GitHub(runner)
    whole = runner.checkout

    def untouched() -> Path:
        top = whole()
        git(top, "update-ref", "refs/remotes/origin/main", "HEAD")
        return top

    assert actions.job("check") == 0
    assert ": 1 operation modified or new." in "".join(actions.said)
    monkeypatch.setattr(runner, "checkout", untouched)
    assert actions.job("check") == 0, actions.said[-1]
    assert "nothing to do" in actions.said[-2]
    assert ": 0 operations modified or new." in actions.said[-1]


def test_a_broken_proposal_fails_at_its_line(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check ends with the code of a broken manifest, and the error stands at the line."""
    actions = GitHub(runner)
    whole = runner.checkout

    def broken() -> Path:
        top = whole()
        manifest = top / "manifests" / "newsletter.yaml"
        manifest.write_text(manifest.read_text(encoding="utf-8").replace("firstName", "fristName"), encoding="utf-8")
        return top

    monkeypatch.setattr(runner, "checkout", broken)
    assert actions.job("check") == Exit.MANIFEST
    assert "::error file=manifests/newsletter.yaml,line=12" in "".join(actions.said)


def test_what_was_approved_is_what_runs(runner: Runner) -> None:
    """The plan job hands a digest and a file on; the apply job on another machine performs just that, once."""
    actions = GitHub(runner)
    assert actions.job("plan") == 0, actions.said[-1]
    assert actions.known["needs.plan.outputs.has_changes"] == "true"
    assert set(runner.artifacts) == {"changes.plan"}
    assert b"example.com" not in runner.artifacts["changes.plan"]
    assert actions.job("apply") == 0, actions.said[-1]
    assert len(runner.served.ask("state")["marketo"]["leads"]) == 3
    assert actions.job("apply") == Exit.STALE
    assert actions.job("plan") == 0
    assert actions.known["needs.plan.outputs.has_changes"] == "false"


def test_the_workflow_says_all_that_it_means() -> None:
    """GitHub takes no merge keys, and its older servers take no anchors; both jobs with secrets read the same ones.

    GitHub Docs, "Reusing workflow configurations", YAML anchors and aliases.
    """
    text = (DOCS / "ci" / "github.yml").read_text(encoding="utf-8")
    assert not re.search(r"(<<:|: [&*]\w)", text)
    jobs = read("github.yml")["jobs"]
    assert jobs["apply"]["env"] == jobs["plan"]["env"] | {"DIGEST": "${{ needs.plan.outputs.digest }}"}


SHOWN = {
    "syncer show changes.plan --format html > plan.html": "plan.html",
    "syncer plan manifests --refresh --reveal --format html > review.html": "review.html",
    "syncer show changes.plan --reveal": "",
}
"""Commands of the page that no workflow has, with what they write."""


def test_every_command_of_the_page_is_run(runner: Runner) -> None:
    """The page beside a pull request, and rows for those who may see them, come out of the commands as they stand."""
    text = (DOCS / "ci.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^ {4}(syncer .*)$", text, re.MULTILINE)) | set(re.findall(r"`(syncer \w+ [^`]+)`", text))
    steps = [(DOCS / "ci" / name).read_text(encoding="utf-8") for name in ("github.yml", "gitlab.yml")]
    assert {each for each in told if not any(each in step for step in steps)} == set(SHOWN)
    top = runner.checkout()
    manifest = top / "manifests" / "newsletter.yaml"
    pinned = manifest.read_text(encoding="utf-8").replace("file: contacts.csv,", "file: contacts.csv, moves: pinned,")
    manifest.write_text(pinned, encoding="utf-8")
    secrets = {**runner.served.credentials(), "SYNCER_PLAN_KEY": "A" * 43 + "="}
    for command, page in {"syncer plan manifests -o changes.plan": "", **SHOWN}.items():
        done = runner.run(command, top, secrets)
        assert done.returncode == 0, done.stderr
        is_revealed = "--reveal" in command
        said = (top / page).read_text(encoding="utf-8") if page else done.stdout
        assert ("ada@example.com" in said) is is_revealed
        assert said.startswith("<!doctype html>") is bool(page)


def test_another_plan_is_refused(runner: Runner) -> None:
    """An artifact that was exchanged after the approval is not performed."""
    actions = GitHub(runner)
    assert actions.job("plan") == 0, actions.said[-1]
    actions.known["needs.plan.outputs.digest"] = f"sha256:{'0' * 64}"
    assert actions.job("apply") == Exit.STALE
    assert runner.served.ask("state")["marketo"]["leads"] == []


def test_the_jobs_of_gitlab_do_the_same(runner: Runner) -> None:
    """Check without secrets, plan with a digest in a dotenv report, apply by hand with it."""
    workflow = read("gitlab.yml")
    secrets = {**runner.served.credentials(), "SYNCER_STATE": str(runner.folder / "state")}
    said: list[str] = []

    def job(name: str, extra: Mapping[str, str]) -> tuple[int, Path]:
        top = runner.checkout()
        for file, content in runner.artifacts.items():
            (top / file).write_bytes(content)
        known = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": git(top, "rev-parse", "origin/main")} if name == "check" else {}
        for command in (*workflow["default"]["before_script"], *workflow[name]["script"]):
            done = runner.run(command, top, known | dict(extra))
            said.append(done.stdout + done.stderr)
            if done.returncode:
                return done.returncode, top
        return 0, top

    assert job("check", {})[0] == 0, said
    code, top = job("plan", secrets)
    assert code == 0, said
    kept = workflow["plan"]["artifacts"]
    runner.artifacts = {each: (top / each).read_bytes() for each in kept["paths"] if (top / each).exists()}
    assert set(runner.artifacts) == {"changes.plan", "plan.md"}
    report = dict(line.split("=") for line in (top / kept["reports"]["dotenv"]).read_text(encoding="utf-8").split())
    assert job("apply", secrets | report)[0] == 0, said[-1]
    assert len(runner.served.ask("state")["marketo"]["leads"]) == 3
    assert workflow["apply"]["allow_failure"]["exit_codes"] == [Exit.REJECTS]


def test_the_page_names_every_output_and_code() -> None:
    """Outputs and exit codes in the tables are those of the program."""
    text = (DOCS / "ci.md").read_text(encoding="utf-8")
    for name in outputs(projects.plan({}, {})):
        assert f"`{name}`" in text
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)}
    assert told <= {int(each) for each in Exit}
    assert {Exit.REFUSED, Exit.STALE, Exit.REJECTS, Exit.PARKED, Exit.IN_DOUBT, Exit.LOCKED} <= told
    for link in re.findall(r"\]\(([^)]+)\)", text):
        assert (DOCS / link).is_file(), link
