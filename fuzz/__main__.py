"""Run targets with atheris, each in a process of its own; see the package's docstring."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path

import click

from fuzz.targets import TARGETS, words

_FOUND = Path(".fuzz")
_SEEDS = Path(__file__).resolve().parents[1] / "cassettes"
_LONGEST = 65536  # bytes of an input
_SLOWEST = 10  # seconds for one input, and then it counts as a hang
_MOST_MEMORY = 1024  # MiB


@click.command()
@click.argument("target", type=click.Choice(list(TARGETS)), required=False)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option("--seconds", type=click.IntRange(min=1), default=60, show_default=True, help="For each target.")
def main(target: str | None, file: Path | None, seconds: int) -> None:
    """Look for bytes that break a promise: of one TARGET or of all; or play FILE to a target again."""
    if target is not None and file is not None:
        TARGETS[target](file.read_bytes())
        click.echo(f"{target}: {file} breaks nothing")
        return
    if importlib.util.find_spec("atheris") is None:
        raise click.UsageError("This needs atheris: pip install atheris. It has wheels for Linux only.")
    failed = [name for name in ([target] if target else TARGETS) if _run(name, seconds)]
    click.echo(f"FAILED: {', '.join(failed)}" if failed else "Nothing found.")
    sys.exit(bool(failed))


def _run(name: str, seconds: int) -> int:
    """One target in a process of its own, which a finding ends."""
    corpus = _FOUND / name
    corpus.mkdir(parents=True, exist_ok=True)
    _plant(corpus)
    dictionary = _FOUND / "words"
    dictionary.write_text("\n".join(map(_quoted, words())) + "\n", encoding="ascii")
    options = {
        "max_total_time": seconds,
        "max_len": _LONGEST,
        "timeout": _SLOWEST,
        "rss_limit_mb": _MOST_MEMORY,
        "dict": dictionary,
        "artifact_prefix": f"{_FOUND}/{name}-",
        "print_final_stats": 1,
    }
    given = [f"-{option}={value}" for option, value in options.items()]
    click.echo(f"{name}: {seconds} s")
    # Not by way of `main`: libFuzzer reads the command line itself.
    code = f"from fuzz.__main__ import instrumented; instrumented({name!r})"
    return subprocess.run([sys.executable, "-c", code, *given, str(corpus)], check=False).returncode  # noqa: S603 - our own


def _plant(corpus: Path) -> None:
    """Begin with real recordings, the small ones."""
    if any(corpus.iterdir()):
        return
    smallest = sorted(_SEEDS.rglob("*.yaml"), key=lambda path: path.stat().st_size)[:60]
    for seed in smallest:
        (corpus / seed.stem).write_bytes(b"\x00" * (corpus.name != "cassette") + seed.read_bytes())


def _quoted(word: bytes) -> str:
    return '"' + "".join(f"\\x{byte:02x}" for byte in word) + '"'


def instrumented(name: str) -> None:
    """Fuzz one target in this process, by the options on its command line. Does not return."""
    atheris = importlib.import_module("atheris")  # by name: it is not among the project's dependencies
    with atheris.instrument_imports(include=["llm_contracts", "yaml"]):
        for module in [
            module for module in sys.modules if module.startswith(("llm_contracts", "fuzz.targets"))
        ]:
            del sys.modules[module]  # imported by the command line, before anything could be instrumented
        check = importlib.import_module("fuzz.targets").TARGETS[name]
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main(prog_name="python -m fuzz")
