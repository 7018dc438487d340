"""Walk through docs/tutorial.md as a reader would: write its files, run its commands, note what they print.

    python -m tests.tutorial docs/tutorial.md

writes what is printed today into the page. The reader's environment is real: the harness from its wheel, in a
virtual environment of its own.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.packaging.wheels import build, install

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(
    r"(?:^`(?P<file>[^`\n]+)`\n\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)
_VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\d"), "DATE"),
    (re.compile(r"\b\d+\.\d+\.\d+[\w.+-]*"), "VERSION"),
    (re.compile(r"checked .* ago"), "checked AGO"),
    (re.compile(r'"[\d.]+, [\d.]+"'), "WAITS"),
    (re.compile(r"the last run \(.*?\)"), "the last run (WHEN)"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """Somebody who follows the page in a folder of their own, with the package installed in `environment`."""

    folder: Path
    environment: Path

    def follow(self, page: str) -> str:
        """The page with what its commands print now."""
        return _BLOCK.sub(self._done, page)

    def _done(self, block: re.Match[str]) -> str:
        if block["file"]:
            self._write(block["file"], block["text"])
        if block["kind"] != "console":
            return block[0]
        return f"```console\n{''.join(self._printed(block['text']))}```"

    def _write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def _printed(self, text: str) -> Iterator[str]:
        code = 0
        for command in commands(text):
            shell = subprocess.run(
                ["/bin/sh", "-c", f"(exit {code}); {command}"],
                cwd=self.folder,
                env=self._variables(),
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
            code = shell.returncode
            yield f"$ {command}\n"
            yield from (f"{line.rstrip()}\n" for line in (shell.stdout + shell.stderr).splitlines())

    def _variables(self) -> Mapping[str, str]:
        """No key, no proxy and no terminal of whoever runs this."""
        return {
            "PATH": f"{self.environment / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
        }


def commands(console: str) -> list[str]:
    """What a reader types in a block of `console`."""
    return [line.removeprefix("$ ") for line in console.splitlines() if line.startswith("$ ")]


def files(page: str) -> dict[str, str]:
    """The files that the reader has at the end."""
    return {block["file"]: block["text"] for block in _BLOCK.finditer(page) if block["file"]}


def settled(page: str) -> str:
    """The page without what another day, or another release of a library, prints differently."""
    for pattern, word in _VARYING:
        page = pattern.sub(word, page)
    return page


def installed(folder: Path) -> Path:
    """The environment that the page asks for, with the harness as built from this clone.

    Raises:
        CalledProcessError: the packages cannot be had.
    """
    environment = folder / "environment"
    install(environment, f"{build('llm_contracts', folder)}[openai]", "requests")
    return environment


def main(file: str) -> None:
    """Write what the commands print today into the page."""
    page = Path(file)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "teahouse").mkdir()
        reader = Reader(folder=place / "teahouse", environment=installed(place))
        page.write_text(reader.follow(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
