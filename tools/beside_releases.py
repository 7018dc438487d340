"""The harness's own tests of clients, beside other releases than the locked ones.

`python -m tools.beside_releases` builds each set with uv in an environment of its own and runs the tests that
meet foreign libraries there: the built-in clients, the frameworks of docs/clients.md, the pytest plugin.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_CLIENTS = (
    "tests/harness/clients",
    "tests/harness/run/test_many_requests.py",
    "tests/contracts/test_real_apis.py",
)
_PLUGIN = ("tests/harness/plugin",)
_TOOLS = ("hypothesis", "psutil", "pytest", "trustme")
_FRAMEWORKS = tuple(
    tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]["frameworks"]
)
SETS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "LiteLLM 1.110.2, openai 3.57.0": (("litellm==1.110.2", "openai==3.57.0"), _CLIENTS),
    "the newest of all clients": (("litellm", "openai", "anthropic", "google-genai", "httpx"), _CLIENTS),
    "frameworks": (
        _FRAMEWORKS,
        ("tests/harness/clients/test_frameworks.py", "tests/examples/test_migrations.py"),
    ),
    "pytest 8": (("pytest<9",), _PLUGIN),
}
"""Name → what is installed beside the harness and all that its clients need, and which tests run."""


def command(packages: Sequence[str], tests: Sequence[str]) -> Iterator[str]:
    """The words that run tests in an environment with these packages."""
    yield from ("uv", "run", "--no-project", "--isolated", "--python", sys.executable)
    harness = f"{ROOT / 'src' / 'llm_contracts'}[openai,litellm,anthropic,google-genai,httpx,vcr]"
    for package in (harness, f"{ROOT / 'src' / 'llm_adapter'}[legacy]"):
        yield from ("--with-editable", package)
    for package in (*_TOOLS, *packages):
        yield from ("--with", package)
    yield from ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)


def main() -> int:
    """Run every set; 1 if a test failed anywhere."""
    failed = []
    for name, (packages, tests) in SETS.items():
        sys.stdout.write(f"\n{name}\n")
        sys.stdout.flush()
        if subprocess.run(list(command(packages, tests)), cwd=ROOT, env=os.environ, check=False).returncode:  # noqa: S603
            failed.append(name)
    sys.stdout.write(f"\nfailed beside: {', '.join(failed)}\n" if failed else "\nall passed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
