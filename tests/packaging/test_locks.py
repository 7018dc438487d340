"""The lock files: whole, with hashes, of one mind, and without the address of an index."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from uv import find_uv_bin

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-frameworks.lock")
_PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^\]]*\])?==(\S+?)(?: ; .*?)? \\$", re.MULTILINE)


def pins(lock: str) -> set[tuple[str, str]]:
    """Packages and their releases; some packages have several, each for some versions of Python."""
    return set(_PIN.findall((ROOT / lock).read_text(encoding="utf-8")))


def test_what_replays_need_is_pinned_alike_for_development() -> None:
    run, dev, frameworks = map(pins, LOCKS)
    names, more = ({name for name, _ in some} for some in (run, dev - run))
    assert {"litellm", "openai", "aiohttp", "uv"} <= names
    assert {"mypy", "pytest-xdist", "sphinx"} <= more
    assert run <= dev
    assert names & more == set()
    # Frameworks come on top, in an environment of their own, and replace nothing.
    beside = {name for name, _ in frameworks}
    assert {"langchain-litellm", "langchain-openai", "openai-agents", "pydantic-ai-slim"} <= beside
    assert beside & (names | more) == set()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_is_a_pin_or_its_hash(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    assert sum(line[0] != " " for line in lines) == len(pins(lock))
    for line in lines:
        assert line[0] != " " or re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?", line), line
    assert "://" not in text


def test_nothing_that_is_installed_lacks_what_it_needs() -> None:
    """Set-up resolves nothing, so this is where a lock file with a hole would be seen."""
    words = [find_uv_bin(), "pip", "check", "--python", sys.executable]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
