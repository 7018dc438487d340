"""The adapter beside other releases of Langfuse, LiteLLM and openai, each set in an environment of its own.

`make matrix` runs it. It installs each set with uv, lets the adapter make one call to a server on 127.0.0.1
under a real span of that Langfuse, and prints what the span was told, as the table of docs/migration.md. It
fails if any generation is not whole. `python -m tools.beside_langfuse 4.14.4,1.95.0,2.54.0` tries one set.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile

WHOLE = "whole, with cached tokens apart"
ROOT = Path(__file__).resolve().parents[1]
SETS = (
    ("2.39.3", "1.80.11", "2.54.0"),
    ("2.60.10", "1.80.11", "2.54.0"),
    ("3.0.0", "1.80.11", "2.54.0"),
    ("3.15.0", "1.80.11", "2.54.0"),
    ("3.15.0", "1.105.0", "2.54.0"),
    ("4.14.4", "1.95.0", "2.54.0", "opentelemetry-api==1.36.0", "opentelemetry-sdk==1.36.0"),
    ("4.18.0", "1.105.0", "2.54.0"),
    ("4.18.0", "1.110.2", "3.57.0"),
    ("5.0.4", "1.105.0", "2.54.0"),
    ("5.0.4", "1.110.2", "2.54.0"),
    ("5.0.4", "1.110.2", "3.57.0"),
)


def seen(langfuse: str, litellm: str, openai: str, *more: str) -> str:
    """What a generation receives in an environment with these releases, or why there was none."""
    packages = (f"langfuse=={langfuse}", f"litellm=={litellm}", f"openai=={openai}")
    with NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as overrides:
        # LiteLLM asks for certificates newer than many mirrors carry; nothing here leaves this machine.
        overrides.write(f"certifi\nopenai=={openai}\n")
        overrides.flush()
        return _seen_in(packages, more, overrides.name)


def _seen_in(packages: Sequence[str], more: Sequence[str], overrides: str) -> str:
    command = ["uv", "run", "--no-project", "--isolated", "--python", sys.executable]
    command += [part for package in (*packages, *more, "msgspec", "requests") for part in ("--with", package)]
    ran = subprocess.run(  # noqa: S603 - our own words
        [*command, "python", str(ROOT / "tools" / "call_under_langfuse.py")],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "UV_OVERRIDE": overrides},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        return (ran.stderr.strip().splitlines() or ["it failed"])[-1]
    return str(json.loads(ran.stdout.splitlines()[-1])["told"])


def main(sets: Sequence[Sequence[str]]) -> int:
    """Print the table; gives the exit code."""
    sys.stdout.write("| Langfuse | LiteLLM | openai | the generation |\n|---|---|---|---|\n")
    failed = 0
    for releases in sets:
        found = seen(*releases)
        failed += found != WHOLE
        sys.stdout.write(f"| {' | '.join(releases[:3])} | {found} |\n")
        sys.stdout.flush()
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main([given.split(",") for given in sys.argv[1:]] or SETS))
