"""No release with a known hole may be installed that either distribution asks for by itself."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
FIXED = {
    "aiohttp": (
        "3.14.3",
        "CVE-2025-69223 to -69230, CVE-2026-34513 to -34525, -54273 to -54280, -69243, -69244",
    ),
    "brotli": ("1.2.0", "CVE-2025-6176"),
    "distributed": ("2026.1.0", "CVE-2026-23528"),
    "jinja2": ("3.1.6", "CVE-2025-27516"),
    "litellm[proxy]": ("1.83.7", "CVE-2026-42208"),
    "python-dotenv": ("1.2.2", "CVE-2026-28684"),
    "pyyaml": ("5.4", "CVE-2020-14343"),
    "requests": ("2.33.0", "CVE-2024-47081, CVE-2026-25645"),
    "uv": ("0.9.6", "CVE-2025-54368, GHSA-w476-p2h3-79g9, GHSA-pqhf-p39g-3x64"),
}
"""Package → the first release without its known holes, and the advisories. Left out: pytest before 9.0.3
(CVE-2025-71176, of folders that other users of a machine may write to), because suites run with pytest 8.
"""


def asked_for() -> dict[str, list[Requirement]]:
    """Package, with its extras → what either distribution asks for."""
    found: dict[str, list[Requirement]] = defaultdict(list)
    for name in ("llm_adapter", "llm_contracts"):
        project = tomllib.loads((ROOT / "src" / name / "pyproject.toml").read_text(encoding="utf-8"))[
            "project"
        ]
        optional = (line for lines in project["optional-dependencies"].values() for line in lines)
        for requirement in map(Requirement, (*project["dependencies"], *optional)):
            extras = f"[{','.join(requirement.extras)}]" if requirement.extras else ""
            found[requirement.name + extras].append(requirement)
    return found


@pytest.mark.parametrize("package", FIXED)
def test_what_is_asked_for_is_above_its_known_holes(package: str) -> None:
    fixed, advisories = FIXED[package]
    requirements = asked_for()[package]
    assert requirements
    for requirement in requirements:
        (floor,) = (one.version for one in requirement.specifier if one.operator == ">=")
        assert tuple(map(int, floor.split("."))) >= tuple(map(int, fixed.removesuffix(".0").split("."))), (
            advisories
        )


def test_the_releases_of_litellm_that_stole_credentials_are_never_installed() -> None:
    """BerriAI/litellm#24518."""
    found = [one for name, all_ in asked_for().items() if name.startswith("litellm") for one in all_]
    assert len(found) == 3  # the adapter's, and the harness's two extras
    assert [one for one in found if list(one.specifier.filter(["1.82.7", "1.82.8"]))] == []
