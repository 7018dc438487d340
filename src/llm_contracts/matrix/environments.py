"""Isolated environments through uv, one for each set of packages, kept as long as its content is asked for.

What is installed here is what uv prefers elsewhere, too: beside the two packages in question only that moves
which has to. What moved is told.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from llm_contracts.matrix.commands import Command, Completed
from llm_contracts.matrix.pair import LATEST, ReleasePair

Arguments = list[str | Path]

READY = "ready.txt"
"""Written last: a folder without it is of no use."""

COMPILE = ("pip", "compile", "--quiet", "--no-header", "--no-annotate")
"""uv's resolver, without remarks."""

SUBJECTS = ("litellm", "openai")
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)", re.MULTILINE)
_TOO_NEW = re.compile(r"only ([A-Za-z0-9._-]+)<=\S+ is available")
_IMPORTS = "import litellm, openai, llm_contracts.cli"


class UnavailableError(Exception):
    """A pair cannot be had. The message says why, in the words of the resolver or of Python."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolution:
    """Which packages a pair takes: the pins as uv writes them."""

    pins: str

    @property
    def versions(self) -> Mapping[str, str]:
        """Package → release."""
        return {name.lower().replace("_", "-"): version for name, version in _PIN.findall(self.pins)}

    @property
    def pair(self) -> ReleasePair:
        """The pair as resolved: `latest` has become a release."""
        versions = self.versions
        return ReleasePair(litellm=versions["litellm"], openai=versions["openai"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Environments:
    """Resolves pairs and builds what they need.

    Attributes:
        run: runs programs.
        uv: the program.
        python: the interpreter that the environments copy.
        cache: where they are kept.
        harness: the line that brings this package and what it needs, such as `-e /src[contracts]`.
        requirements: further requirement lines.
        sources: files to read requirements from, such as another project's pyproject.toml.
        overrides: requirement lines that replace what packages ask for.
        installed: what is installed here: package → release.
    """

    run: Command
    uv: Path
    python: Path
    cache: Path
    harness: str
    requirements: tuple[str, ...] = ()
    sources: tuple[Path, ...] = ()
    overrides: tuple[str, ...] = ()
    installed: Mapping[str, str]

    def resolve(self, pair: ReleasePair) -> Resolution:
        """Find the packages of a pair, installing nothing.

        The release of LiteLLM that is asked for replaces the range that this package supports: newer ones
        are to be tried before they are supported.

        Raises:
            UnavailableError: there is no such release, or its requirements contradict one another.
        """
        with _folder() as folder:
            pins, overrides, wanted = (folder / name for name in ("pins.txt", "overrides.txt", "wanted.in"))
            preferred = {name: v for name, v in self.installed.items() if name not in SUBJECTS}
            pins.write_text("".join(f"{name}=={version}\n" for name, version in preferred.items()))
            overrides.write_text("\n".join([_wanted("litellm", pair.litellm), *self.overrides]) + "\n")
            lines = [self.harness, _wanted("openai", pair.openai), *self.requirements]
            wanted.write_text("\n".join(lines) + "\n")
            compiling: Arguments = [self.uv, *COMPILE, "--python", self.python, "--overrides", overrides]
            done = self.run([*compiling, "--output-file", pins, wanted, *self.sources])
            if done.code:
                raise UnavailableError(resolver_says(done))
            return Resolution(pins=pins.read_text())

    def moved(self, resolution: Resolution) -> Mapping[str, str]:
        """The other packages that have another release than here, or are not here at all."""
        return {
            name: version
            for name, version in resolution.versions.items()
            if name not in SUBJECTS and self.installed.get(name) != version
        }

    def build(self, resolution: Resolution) -> Path:
        """The interpreter of an environment with exactly these packages, made unless it is there.

        It is made under another name and moved into its place, so that nobody meets half of one.

        Raises:
            UnavailableError: something cannot be installed, or the clients cannot be imported.
        """
        place = self.cache / self._key(resolution)
        if not (place / READY).is_file():
            shutil.rmtree(place, ignore_errors=True)
            self.cache.mkdir(parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=self.cache))
            try:
                self._install(draft / "env", resolution)
                _put(draft / "env", place)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        return place / "bin" / "python"

    def _install(self, place: Path, resolution: Resolution) -> None:
        pins, python = place.parent / "pins.txt", place / "bin" / "python"
        pins.write_text(resolution.pins)
        venv: Arguments = [self.uv, "venv", "--quiet", "--relocatable", "--python", self.python, place]
        self._must("environment", venv)
        # Resolved already, with overrides: what packages ask for is not looked at again.
        install: Arguments = [self.uv, "pip", "install", "--quiet", "--no-deps", "--python", python]
        self._must("installation", [*install, "--requirement", pins])
        self._must("import", [python, "-c", _IMPORTS])
        (place / READY).write_text(resolution.pins)

    def _must(self, what: str, arguments: Sequence[str | Path]) -> None:
        done = self.run(arguments)
        if done.code:
            raise UnavailableError(f"{what} failed: {done.last_line}")

    def _key(self, resolution: Resolution) -> str:
        """Names the content. An editable package is part of it by its folder: its code may change."""
        subject = f"{self.python.resolve()}\n{resolution.pins}"
        return hashlib.sha256(subject.encode()).hexdigest()[:20]


def resolver_says(done: Completed) -> str:
    """The resolver's reasons on one line, and how to go on if a package is merely too old here."""
    lines = [line.strip().removeprefix("cause: ") for line in done.err.splitlines() if line.strip()]
    reasons = [line for line in lines if not line.startswith(("error:", "hint:"))] or [done.last_line]
    text = " ".join(reasons)
    too_new = _TOO_NEW.search(text)
    return f"{text} (--override {too_new[1]} would take the newest there is.)" if too_new else text


def _wanted(name: str, version: str) -> str:
    return name if version == LATEST else f"{name}=={version}"


def _put(draft: Path, place: Path) -> None:
    try:
        draft.rename(place)
    except OSError:
        if not (place / READY).is_file():
            raise  # else somebody made the same meanwhile


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="llm-contracts-matrix-") as name:
        yield Path(name)
