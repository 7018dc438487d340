"""Isolated environments through uv, one for each pair of releases, built and cached by uv itself, and a check
as it runs in one.

uv prefers what is installed here, so beside the two packages in question only those differ that have to.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from llm_contracts.matrix.plan import LATEST, ReleasePair
from llm_contracts.project.config import ConfigError
from llm_contracts.results.store import RESULT

Completed = subprocess.CompletedProcess[str]

Command = Callable[[Sequence[str | Path]], Completed]
"""Runs a program to its end."""

PINS = "requirements.txt"
"""The packages of an environment, in the folder of its results."""

HARNESS = "llm-contracts"
_EXTRAS = "openai,litellm,vcr"
_SUBJECTS = ("litellm", "openai")
_COMPILE = ("pip", "compile", "--quiet", "--no-header", "--no-annotate")
_IMPORTS = "import litellm, openai, llm_contracts.cli"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)", re.MULTILINE)
_TOO_NEW = re.compile(r"only ([A-Za-z0-9._-]+)<=\S+ is available")
_NO_SOLUTION = "No solution found"  # uv's words where an index has nothing that fits
# The address of an index that is not public holds what opens it, and complaints name the address.
_CREDENTIALS = re.compile(r"//[^/@\s]+@")


class UnavailableError(Exception):
    """A pair cannot be had, or a check gave no result. The message says why, in the words of the resolver, of
    Python, or of the check.
    """


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolution:
    """Which packages a pair takes.

    Attributes:
        pins: the requirement lines as uv writes them.
        moved: the other packages whose release differs from the installed one → that release.
    """

    pins: str
    moved: Mapping[str, str] = field(default_factory=dict)

    @property
    def pair(self) -> ReleasePair:
        """The pair as resolved: `latest` has become a release."""
        versions = pinned_versions(self.pins)
        return ReleasePair(litellm=versions["litellm"], openai=versions["openai"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Environments:
    """Resolves pairs and builds what they need.

    Attributes:
        run: runs programs.
        uv: the program.
        python: the interpreter to use.
        requirements: the lines that bring the harness, the project, and what they need.
        sources: files to read requirements from, such as the project's pyproject.toml.
        overrides: requirement lines that replace what packages ask for.
        installed: what is installed here: package → release.
        cache: uv's cache folder, in place of its own choice.
    """

    run: Command
    uv: Path
    python: Path
    requirements: tuple[str, ...]
    sources: tuple[Path, ...] = ()
    overrides: tuple[str, ...] = ()
    installed: Mapping[str, str]
    cache: Path | None = None

    def resolve(self, pair: ReleasePair) -> Resolution:
        """Find the packages of a pair, installing nothing.

        The release of LiteLLM that is asked for replaces the range that the project supports: newer ones are
        to be tried before they are supported.

        Raises:
            UnavailableError: there is no such release, or its requirements contradict one another.
        """
        with TemporaryDirectory(prefix="llm-contracts-matrix-") as name:
            pins, overrides, wanted = (Path(name, each) for each in (PINS, "overrides.txt", "wanted.in"))
            asked = {"litellm": pair.litellm, "openai": pair.openai}
            litellm, openai = (n if v == LATEST else f"{n}=={v}" for n, v in asked.items())
            # An output file that is there already is what uv prefers.
            preferred = (f"{name}=={v}" for name, v in self.installed.items() if name not in _SUBJECTS)
            pins.write_text("\n".join(preferred) + "\n")
            overrides.write_text("\n".join((litellm, *self.overrides)) + "\n")
            wanted.write_text("\n".join((*self.requirements, openai)) + "\n")
            done = self._uv(*_COMPILE, "--overrides", overrides, "--output-file", pins, wanted, *self.sources)
            if done.returncode:
                raise UnavailableError(resolver_says(done))
            text = pins.read_text()
        moved = {
            name: version
            for name, version in pinned_versions(text).items()
            if name not in _SUBJECTS and self.installed.get(name) != version
        }
        return Resolution(pins=text, moved=moved)

    def build(self, resolution: Resolution, folder: Path) -> tuple[str, ...]:
        """The words that start Python in an environment with exactly these packages, whose list is left in a
        folder; it is built on the way.

        Raises:
            UnavailableError: something cannot be installed, or the clients cannot be imported.
        """
        folder.mkdir(parents=True, exist_ok=True)
        pins = folder / PINS
        pins.write_text(resolution.pins)
        # Already resolved, with overrides: as overrides the pins silence what packages ask for.
        words = ("tool", "run", "--quiet", "--with-requirements", pins, "--overrides", pins, "python")
        done = self._uv(*words, "-c", _IMPORTS)
        if done.returncode:
            raise UnavailableError(f"It cannot be installed or imported: {last_line(done.stderr)}")
        return tuple(map(str, (self.uv, *words[:2], *self._options, *words[2:])))

    def newest(self, requirement: str) -> str | None:
        """The newest release that meets a requirement, or None.

        Raises:
            UnavailableError: the index cannot be asked.
        """
        with TemporaryDirectory(prefix="llm-contracts-matrix-") as folder:
            wanted = Path(folder, "wanted.in")
            wanted.write_text(f"{requirement}\n")
            done = self._uv(*_COMPILE, "--no-deps", wanted)
        if not done.returncode:
            return done.stdout.strip().partition("==")[2]
        if _NO_SOLUTION in done.stderr:
            return None
        # Otherwise an index that is out of reach would look like one without releases.
        raise UnavailableError(resolver_says(done))

    @property
    def _options(self) -> tuple[str | Path, ...]:
        return ("--python", self.python, *(("--cache-dir", self.cache) if self.cache else ()))

    def _uv(self, *words: str | Path) -> Completed:
        return self.run([self.uv, *words[:2], *self._options, *words[2:]])


def pinned_versions(pins: str) -> dict[str, str]:
    """Package → release, of requirement lines."""
    return {name.lower().replace("_", "-"): version for name, version in _PIN.findall(pins)}


def resolver_says(done: Completed) -> str:
    """The resolver's reasons on one line, and how to go on if a package is merely too old here."""
    lines = [line.strip().removeprefix("cause: ") for line in done.stderr.splitlines() if line.strip()]
    reasons = [line for line in lines if not line.startswith(("error:", "hint:"))]
    text = _CREDENTIALS.sub("//***@", " ".join(reasons)) or last_line(done.stderr)
    too_new = _TOO_NEW.search(text)
    return f"{text} (--override {too_new[1]} would take the newest there is.)" if too_new else text


def last_line(errors: str) -> str:
    """The last thing that a program complained about, without what opens an index."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    return _CREDENTIALS.sub("//***@", lines[-1]) if lines else "it ended without a word"


def command(folder: Path, environ: Mapping[str, str], *, timeout: float | None = None) -> Command:
    """A runner of programs in a folder; one that takes longer than so many seconds counts as failed. What a
    program leaves running is not waited for: it holds files open, and not pipes.
    """

    def run(arguments: Sequence[str | Path]) -> Completed:
        words = list(map(str, arguments))
        with _text_file() as output, _text_file() as errors:
            try:
                done = subprocess.run(  # noqa: S603 - the programs are ours, and no shell reads the arguments
                    words, cwd=folder, env=environ, stdout=output, stderr=errors, timeout=timeout, check=False
                )
            except subprocess.TimeoutExpired:
                return Completed(words, -1, "", f"it took longer than {timeout:g} seconds")
            for file in (output, errors):
                file.seek(0)
            return Completed(words, done.returncode, output.read(), errors.read())

    return run


def _text_file() -> IO[str]:
    return TemporaryFile("w+", encoding="utf-8", errors="replace")


def own_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables for a process elsewhere: without those that lead Python back into this environment."""
    lead_back = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "COVERAGE_PROCESS_START"}
    return {name: value for name, value in environ.items() if name not in lead_back}


def local_requirements() -> tuple[str, ...]:
    """The lines that bring the harness as it came here, and whatever else was installed from a folder or a
    file.
    """
    lines = []
    for distribution in metadata.distributions():
        name, url = distribution.metadata["Name"], distribution.read_text("direct_url.json")
        if url is not None or name == HARNESS:
            extra = f"[{_EXTRAS}]" if name == HARNESS else ""
            lines.append(requirement_line(f"{name}{extra}", url, distribution.version))
    return tuple(sorted(lines))


def requirement_line(name: str, direct_url: str | None, version: str) -> str:
    """The requirement that brings a distribution again, by its name with extras, its `direct_url.json`
    (PEP 610), which is there if it came from a folder or a file, and its release.
    """
    if direct_url is None:
        return f"{name}=={version}"
    source = json.loads(direct_url)
    if source.get("dir_info", {}).get("editable"):
        extras = name[name.find("[") :] if "[" in name else ""
        return f"-e {unquote(urlsplit(source['url']).path)}{extras}"
    return f"{name} @ {source['url']}"


def find_uv(environ: Mapping[str, str]) -> Path:
    """The program uv: what the variable `UV` names (uv sets it for what it runs), the one of the extra
    `matrix`, or any on the PATH.

    Raises:
        ConfigError: there is none.
    """
    if environ.get("UV"):
        return Path(environ["UV"])
    try:
        from uv import find_uv_bin

        return Path(find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
    if found is None:
        raise ConfigError(f"The matrix needs uv: pip install '{HARNESS}[matrix]', or any uv on the PATH.")
    return Path(found)


# A check in another environment

Check = Callable[[Sequence[str], Sequence[str], Path], Mapping[str, Any]]
"""Runs a check and gives the result's document. Given the words that start Python, the check's own command
with its options, and a folder for the whole result.
"""

_READABLE = {0, 1, 3}  # exits after which there is a result: agreement, divergence, unreadable recordings


def checker(run: Command) -> Check:
    """A check as a process of its own, which a command runs. It raises `UnavailableError` if it ends without
    a result.
    """

    def check(python: Sequence[str], arguments: Sequence[str], folder: Path) -> Mapping[str, Any]:
        result = folder / RESULT
        result.unlink(missing_ok=True)  # of an earlier run
        done = run([*python, "-m", "llm_contracts", *arguments, "--report", folder])
        if done.returncode not in _READABLE or not result.is_file():
            raise UnavailableError(last_line(done.stderr))
        document: Mapping[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        return document

    return check
