"""Environments: what uv is asked for, and what is said when something cannot be had.

uv is a stand-in here that writes down what it was asked and leaves what uv would leave.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from llm_contracts.matrix.environments import PINS as PINS_FILE
from llm_contracts.matrix.environments import (
    Completed,
    Environments,
    Resolution,
    UnavailableError,
    command,
    find_uv,
    last_line,
    local_requirements,
    own_variables,
    requirement_line,
    resolver_says,
)
from llm_contracts.matrix.plan import LATEST, MatrixPlan, MatrixRequest, ReleasePair
from llm_contracts.matrix.run import matrix_run
from llm_contracts.project.config import load_settings
from llm_contracts.project.load import load_project
from tests.harness.matrix.cells import pair

PINS = "litellm==1.84.8\nopenai==2.54.0\nclick==8.1.0\nrich==13.9.4\n"
TOO_NEW = """\
error: No solution found when resolving dependencies
  cause: Because only certifi<=2026.10.18 is available and litellm>=1.109.1 depends on certifi>=2026.10.19, \
we can conclude that litellm>=1.109.1 cannot be used.
         And because you require litellm==1.109.1, we can conclude that your requirements are unsatisfiable.
"""


def ended(code: int = 0, *, out: str = "", err: str = "") -> Completed:
    return Completed([], code, out, err)


@dataclass(kw_only=True, slots=True)
class Uv:
    """The stand-in. `fails`: what it cannot do (`compile`, `run`) → what it complains of."""

    pins: str = PINS
    fails: dict[str, str] = field(default_factory=dict)
    asked: list[list[str]] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)

    def __call__(self, arguments: Sequence[str | Path]) -> Completed:
        words = [str(word) for word in arguments]
        self.asked.append(words)
        self.files |= {Path(word).name: Path(word).read_text() for word in words if Path(word).is_file()}
        if words[2] in self.fails:
            return ended(1, err=self.fails[words[2]])
        if "--output-file" in words:
            Path(words[words.index("--output-file") + 1]).write_text(self.pins)
        return ended(out="litellm==1.108.11\n")


def environments(uv: Uv, cache: Path | None = None) -> Environments:
    return Environments(
        run=uv,
        uv=Path("/bin/uv"),
        python=Path("/bin/python"),
        cache=cache,
        requirements=("-e /src[openai]", "pandas"),
        overrides=("certifi",),
        installed={"litellm": "1.105.0", "click": "8.1.0", "rich": "13.9.0", "openai": "2.54.0"},
    )


def test_what_is_installed_here_is_preferred_and_the_two_clients_are_as_asked() -> None:
    uv = Uv()
    got = environments(uv).resolve(pair("1.84.8"))
    assert got.pair == pair("1.84.8")
    assert uv.files[PINS_FILE] == "click==8.1.0\nrich==13.9.0\n"
    assert uv.files["wanted.in"].split("\n") == ["-e /src[openai]", "pandas", "openai==2.54.0", ""]
    assert uv.files["overrides.txt"].split() == ["litellm==1.84.8", "certifi"]


def test_latest_is_left_to_the_resolver() -> None:
    uv = Uv()
    environments(uv).resolve(ReleasePair(litellm=LATEST, openai=LATEST))
    assert uv.files["wanted.in"].split("\n")[2] == "openai"
    assert uv.files["overrides.txt"].split() == ["litellm", "certifi"]


def test_packages_that_had_to_move_are_named_and_the_clients_are_not() -> None:
    assert environments(Uv()).resolve(pair("1.84.8")).moved == {"rich": "13.9.4"}


def test_a_pair_that_cannot_be_resolved_says_so_in_the_words_of_the_resolver() -> None:
    uv = Uv(fails={"compile": TOO_NEW})
    with pytest.raises(UnavailableError, match=r"only certifi<=2026.10.18 is available .*--override certifi"):
        environments(uv).resolve(pair("1.109.1"))


def test_a_release_that_does_not_exist_gets_no_advice_about_overrides() -> None:
    said = resolver_says(ended(1, err="error: No\n  cause: Because there is no version of litellm==9\n"))
    assert said == "Because there is no version of litellm==9"
    assert resolver_says(ended(2, err="error: Failed to fetch\n")) == "error: Failed to fetch"


def test_uv_runs_exactly_the_resolved_packages_whatever_they_ask_for(tmp_path: Path) -> None:
    uv = Uv()
    folder = tmp_path / "of" / "this" / "pair"
    python = environments(uv, tmp_path / "cache").build(Resolution(pins=PINS), folder)
    pins = str(folder / PINS_FILE)
    assert uv.files[PINS_FILE] == PINS
    assert python == (
        "/bin/uv", "tool", "run", "--python", "/bin/python", "--cache-dir", str(tmp_path / "cache"),
        "--quiet", "--with-requirements", pins, "--overrides", pins, "python",
    )  # fmt: skip
    assert uv.asked == [[*python, "-c", "import litellm, openai, llm_contracts.cli"]]


def test_what_cannot_be_installed_or_imported_is_not_run(tmp_path: Path) -> None:
    uv = Uv(fails={"run": "Traceback\nModuleNotFoundError: No module named 'mcp'\n"})
    with pytest.raises(UnavailableError, match=r"installed or imported: .*No module named 'mcp'"):
        environments(uv).build(Resolution(pins=PINS), tmp_path)


def test_the_index_is_asked_through_uv() -> None:
    uv = Uv()
    assert environments(uv).newest("litellm>1.80,<1.109") == "1.108.11"
    assert uv.files["wanted.in"] == "litellm>1.80,<1.109\n"
    assert environments(Uv(fails={"compile": TOO_NEW})).newest("litellm>1.80,<1.81") is None


def test_an_index_out_of_reach_is_not_one_without_releases() -> None:
    uv = Uv(fails={"compile": "error: Failed to fetch: https://index.example/litellm\n"})
    with pytest.raises(UnavailableError, match="Failed to fetch"):
        environments(uv).newest("litellm>1.80,<1.109")


def test_what_opens_an_index_is_never_shown(tmp_path: Path) -> None:
    done = command(tmp_path, {"PATH": "/usr/bin:/bin"})(
        ["sh", "-c", "echo 'Failed: https://me:''hunter2''@index.example/simple' >&2; exit 2"]
    )
    assert last_line(done.stderr) == "Failed: https://***@index.example/simple"
    assert resolver_says(done) == "Failed: https://***@index.example/simple"


@pytest.mark.parametrize(
    ("direct_url", "line"),
    [
        (None, "llm-contracts[openai,litellm]==1.2"),
        ('{"url": "file:///a%20b", "dir_info": {"editable": true}}', "-e /a b[openai,litellm]"),
        ('{"url": "file:///w/x.whl", "archive_info": {}}', "llm-contracts[openai,litellm] @ file:///w/x.whl"),
    ],
)
def test_a_distribution_comes_as_it_came_here(direct_url: str | None, line: str) -> None:
    assert requirement_line("llm-contracts[openai,litellm]", direct_url, "1.2") == line


def test_this_very_harness_is_brought_along() -> None:
    root = Path(__file__).resolve().parents[3]
    assert f"-e {root}/src/llm_contracts[openai,litellm,vcr]" in local_requirements()


def test_a_project_brings_its_own_requirements(tmp_path: Path) -> None:
    def sources() -> tuple[Path, ...]:
        project = load_project(load_settings(tmp_path))
        builder = matrix_run(project, MatrixRequest(), MatrixPlan(), {"UV": "/bin/uv"}).builder
        assert isinstance(builder, Environments)
        return builder.sources

    file = tmp_path / "pyproject.toml"
    assert sources() == ()
    file.write_text("[tool.llm_contracts]\n")
    assert sources() == ()
    file.write_text('[project]\nname = "mine"\n')
    assert sources() == (file,)


def test_the_variable_uv_names_the_program() -> None:
    assert find_uv({"UV": "/opt/uv"}) == Path("/opt/uv")


def test_programs_report_how_they_ended(tmp_path: Path) -> None:
    run = command(tmp_path, {"PATH": "/usr/bin:/bin", "WORD": "hi"}, timeout=5.0)
    done = run(["sh", "-c", "echo $WORD; pwd; echo oops >&2; exit 3"])
    assert (done.returncode, done.stdout.split(), done.stderr) == (3, ["hi", str(tmp_path)], "oops\n")
    slow = command(tmp_path, {"PATH": "/usr/bin:/bin"}, timeout=0.1)(["sleep", "5"])
    assert (slow.returncode, last_line(slow.stderr)) == (-1, "it took longer than 0.1 seconds")
    assert last_line("") == "it ended without a word"


def test_what_a_program_leaves_running_is_not_waited_for(tmp_path: Path) -> None:
    begun = time.monotonic()
    done = command(tmp_path, {"PATH": "/usr/bin:/bin"})(["sh", "-c", "echo done; sleep 20 &"])
    assert (done.returncode, done.stdout) == (0, "done\n")
    assert time.monotonic() - begun < 15


def test_nothing_leads_python_back_here() -> None:
    assert own_variables({"PYTHONPATH": "/x", "VIRTUAL_ENV": "/y", "HOME": "/z"}) == {"HOME": "/z"}
