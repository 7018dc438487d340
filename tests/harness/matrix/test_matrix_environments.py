"""Environments: what uv is asked for, what is kept, and what is said when something cannot be had.

uv is a stand-in here that writes down what it was asked and leaves what uv would leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from llm_contracts.matrix.commands import Completed, command, own_variables
from llm_contracts.matrix.environments import Environments, Resolution, UnavailableError, resolver_says
from llm_contracts.matrix.here import find_uv, harness_line, requirement_sources, this_harness
from llm_contracts.matrix.pair import LATEST, ReleasePair
from llm_contracts.matrix.releases import newest_by
from tests.harness.matrix.cells import pair

PINS = "litellm==1.84.8\nopenai==2.54.0\nclick==8.1.0\nrich==13.9.4\n"
TOO_NEW = """\
error: No solution found when resolving dependencies
  cause: Because only certifi<=2026.10.18 is available and litellm>=1.109.1 depends on certifi>=2026.10.19, \
we can conclude that litellm>=1.109.1 cannot be used.
         And because you require litellm==1.109.1, we can conclude that your requirements are unsatisfiable.
"""


@dataclass(kw_only=True, slots=True)
class Uv:
    """The stand-in. `fails`: what it cannot do (`compile`, `install`, `import`) → what it complains of."""

    pins: str = PINS
    fails: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)

    def __call__(self, arguments: Sequence[str | Path]) -> Completed:
        words = [str(word) for word in arguments]
        what = "import" if "-c" in words else words[2] if words[1] == "pip" else words[1]
        self.asked.append(what)
        self.files |= {Path(word).name: Path(word).read_text() for word in words if Path(word).is_file()}
        if what in self.fails:
            return Completed(code=1, err=self.fails[what])
        if what == "compile" and "--output-file" in words:
            Path(words[words.index("--output-file") + 1]).write_text(self.pins)
        if what == "venv":
            (Path(words[-1]) / "bin").mkdir(parents=True)
            (Path(words[-1]) / "bin" / "python").write_text("")
        return Completed(code=0, out="litellm==1.108.11\n")


def environments(uv: Uv, cache: Path) -> Environments:
    return Environments(
        run=uv,
        uv=Path("/bin/uv"),
        python=Path("/bin/python"),
        cache=cache,
        harness="-e /src[contracts]",
        requirements=("pandas",),
        overrides=("certifi",),
        installed={"litellm": "1.105.0", "click": "8.1.0", "rich": "13.9.0", "openai": "2.54.0"},
    )


def test_what_is_installed_here_is_preferred_and_the_two_clients_are_as_asked(tmp_path: Path) -> None:
    uv = Uv()
    got = environments(uv, tmp_path).resolve(pair("1.84.8"))
    assert got.pair == pair("1.84.8")
    assert uv.files["pins.txt"] == "click==8.1.0\nrich==13.9.0\n"
    assert uv.files["wanted.in"].split("\n") == ["-e /src[contracts]", "openai==2.54.0", "pandas", ""]
    assert uv.files["overrides.txt"].split() == ["litellm==1.84.8", "certifi"]


def test_latest_is_left_to_the_resolver(tmp_path: Path) -> None:
    uv = Uv()
    environments(uv, tmp_path).resolve(ReleasePair(litellm=LATEST, openai=LATEST))
    assert uv.files["wanted.in"].split("\n")[1] == "openai"
    assert uv.files["overrides.txt"].split() == ["litellm", "certifi"]


def test_packages_that_had_to_move_are_told_and_the_clients_are_not(tmp_path: Path) -> None:
    assert environments(Uv(), tmp_path).moved(Resolution(pins=PINS)) == {"rich": "13.9.4"}


def test_a_pair_that_cannot_be_resolved_says_so_in_the_words_of_the_resolver(tmp_path: Path) -> None:
    uv = Uv(fails={"compile": TOO_NEW})
    with pytest.raises(UnavailableError, match=r"only certifi<=2026.10.18 is available .*--override certifi"):
        environments(uv, tmp_path).resolve(pair("1.109.1"))


def test_a_release_that_does_not_exist_gets_no_advice_about_overrides() -> None:
    said = resolver_says(
        Completed(code=1, err="error: No\n  cause: Because there is no version of litellm==9\n")
    )
    assert said == "Because there is no version of litellm==9"
    assert resolver_says(Completed(code=2, err="error: Failed to fetch\n")) == "error: Failed to fetch"


def test_an_environment_is_made_once_for_what_is_in_it(tmp_path: Path) -> None:
    uv = Uv()
    made = environments(uv, tmp_path)
    first = made.build(Resolution(pins=PINS))
    assert uv.asked == ["venv", "install", "import"]
    assert first.is_file()
    assert made.build(Resolution(pins=PINS)) == first
    assert uv.asked == ["venv", "install", "import"]
    assert made.build(Resolution(pins=PINS + "x==1\n")) != first


@pytest.mark.parametrize("step", ["install", "import"])
def test_half_an_environment_is_never_kept(tmp_path: Path, step: str) -> None:
    uv = Uv(fails={step: "Traceback\nModuleNotFoundError: No module named 'mcp'\n"})
    with pytest.raises(UnavailableError, match="No module named 'mcp'"):
        environments(uv, tmp_path).build(Resolution(pins=PINS))
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_environment_is_made_again(tmp_path: Path) -> None:
    uv = Uv()
    made = environments(uv, tmp_path)
    python = made.build(Resolution(pins=PINS))
    (python.parents[1] / "ready.txt").unlink()
    python.unlink()
    assert made.build(Resolution(pins=PINS)).is_file()


def test_the_index_is_asked_through_uv(tmp_path: Path) -> None:
    uv = Uv()
    assert newest_by(uv, Path("/bin/uv"), Path("/bin/python"))("litellm>1.80,<1.109") == "1.108.11"
    assert uv.files["wanted.in"] == "litellm>1.80,<1.109\n"
    nothing = Uv(fails={"compile": TOO_NEW})
    assert newest_by(nothing, Path("/bin/uv"), Path("/bin/python"))("litellm>1.80,<1.81") is None


def test_an_index_out_of_reach_is_not_one_without_releases() -> None:
    uv = Uv(fails={"compile": "error: Failed to fetch: https://index.example/litellm\n"})
    with pytest.raises(UnavailableError, match="Failed to fetch"):
        newest_by(uv, Path("/bin/uv"), Path("/bin/python"))("litellm>1.80,<1.109")


def test_what_opens_an_index_is_never_shown(tmp_path: Path) -> None:
    run = command(tmp_path, {"PATH": "/usr/bin:/bin"})
    done = run(["sh", "-c", "echo 'Failed: https://me:hunter2@index.example/simple' >&2; exit 2"])
    assert done.last_line == "Failed: https://***@index.example/simple"


@pytest.mark.parametrize(
    ("direct_url", "line"),
    [
        (None, "llm-adapter[contracts]==1.2"),
        ('{"url": "file:///a%20b", "dir_info": {"editable": true}}', "-e /a b[contracts]"),
        ('{"url": "file:///w/x.whl", "archive_info": {}}', "llm-adapter[contracts] @ file:///w/x.whl"),
    ],
)
def test_the_harness_comes_as_it_came_here(direct_url: str | None, line: str) -> None:
    assert harness_line(direct_url, "1.2") == line


def test_this_very_package_can_be_brought() -> None:
    assert "[contracts]" in this_harness()


def test_another_project_brings_its_own_requirements(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    assert requirement_sources(tmp_path, "-e /src[contracts]") == ()
    file.write_text("[tool.llm_contracts]\n")
    assert requirement_sources(tmp_path, "-e /src[contracts]") == ()
    file.write_text('[project]\nname = "mine"\n')
    assert requirement_sources(tmp_path, "-e /src[contracts]") == (file,)
    assert requirement_sources(tmp_path, f"-e {tmp_path}[contracts]") == ()


def test_the_variable_uv_names_the_program() -> None:
    assert find_uv({"UV": "/opt/uv"}) == Path("/opt/uv")


def test_programs_report_how_they_ended(tmp_path: Path) -> None:
    run = command(tmp_path, {"PATH": "/usr/bin:/bin", "WORD": "hi"}, timeout=5.0)
    done = run(["sh", "-c", "echo $WORD; pwd; echo oops >&2; exit 3"])
    assert (done.code, done.out.split(), done.last_line) == (3, ["hi", str(tmp_path)], "oops")
    assert command(tmp_path, {"PATH": "/usr/bin:/bin"}, timeout=0.1)(["sleep", "5"]).code == -1
    assert Completed(code=4).last_line == "it ended with 4 and said nothing"


def test_nothing_leads_python_back_here() -> None:
    assert own_variables({"PYTHONPATH": "/x", "VIRTUAL_ENV": "/y", "HOME": "/z"}) == {"HOME": "/z"}
