"""Python and the packages: are they those that are supported, and those that are pinned?"""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from llm_contracts.doctor.finding import Finding, fault, note, ok, warning
from llm_contracts.util.text import first_names

AREA = "environment"
_PIN = re.compile(
    r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)[ \t]*(?:;([^\\\n]+))?", re.MULTILINE
)
_NAMED = ("litellm", "openai")
_SHOWN = 6

Installed = Callable[[str], str | None]
"""The version of a distribution, by its canonical name; None where it is not installed."""


def installed_version(name: str) -> str | None:
    """What this interpreter would import."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Supported:
    """What the harness works with.

    Attributes:
        python: the range of interpreters.
        requirements: the packages it needs, and those of its extras, as requirement lines with markers.
    """

    python: str = ""
    requirements: tuple[str, ...] = ()


def supported_by_the_harness() -> Supported:
    """As the installed distribution says; nothing where the harness runs without having been installed."""
    try:
        described = metadata.metadata("llm-contracts")
    except metadata.PackageNotFoundError:
        return Supported()
    return Supported(
        python=described["Requires-Python"] or "",
        requirements=tuple(described.get_all("Requires-Dist") or ()),
    )


def examine_environment(
    root: Path, *, installed: Installed, supported: Supported, python: str | None = None
) -> Iterator[Finding]:
    """Compare what is installed with the supported ranges and with the project's lock file.

    Args:
        root: the project's folder.
        installed: gives versions; see `installed_version`.
        supported: the ranges. Those of an extra matter only where its package is installed.
        python: the interpreter's version; by default, of the one that runs this.
    """
    yield _python(python or platform.python_version(), supported.python)
    yield from _packages(supported.requirements, installed)
    yield _lock(root, installed)


def _python(version: str, supported: str) -> Finding:
    if supported and not SpecifierSet(supported).contains(version, prereleases=True):
        way_out = f"Set up the environment with a Python that is {supported}."
        return fault(AREA, f"Python {version} is not supported", way_out)
    said = f" (supported: {supported})" if supported else ""
    return ok(AREA, f"Python {version}{said}")


def _packages(requirements: Iterable[str], installed: Installed) -> Iterator[Finding]:
    fitting: dict[str, str] = {}
    for text in requirements:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        name = canonicalize_name(requirement.name)
        version = installed(name)
        wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if version is None and not wanted:
            continue
        if version is not None and requirement.specifier.contains(version, prereleases=True):
            fitting[name] = version
        else:
            yield _unfit(requirement, version)
    named = ", ".join(f"{name} {fitting[name]}" for name in _NAMED if name in fitting)
    if fitting:
        yield ok(AREA, f"{len(fitting)} packages within their supported ranges: {named}")


def _unfit(requirement: Requirement, version: str | None) -> Finding:
    there = "is not installed" if version is None else f"{version} is outside the supported range"
    what = f"{requirement.name} {there} ({requirement.specifier})"
    way_out = f'Install it: pip install "{requirement.name}{requirement.specifier}", or from the lock file.'
    return fault(AREA, what, way_out)


def _lock(root: Path, installed: Installed) -> Finding:
    for name in ("requirements.lock", "requirements.txt"):
        if (root / name).is_file():
            return _compared(
                name, _pins((root / name).read_text(encoding="utf-8", errors="replace")), installed
            )
    others = [
        name for name in ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml") if (root / name).is_file()
    ]
    if others:
        what = f"{others[0]} pins the packages; whether they are installed as pinned, its own tool can tell"
        return note(AREA, what)
    return note(AREA, "no lock file: another day may install other releases")


def _compared(name: str, pins: Mapping[str, str], installed: Installed) -> Finding:
    if not pins:
        return note(AREA, f"{name} pins no releases")
    there = {pin: installed(pin) for pin in pins}
    parts = [
        f"{pin} {there[pin]} for {version}" if there[pin] else f"{pin} is not installed"
        for pin, version in pins.items()
        if not _same(there[pin], version)
    ]
    if not parts:
        return ok(AREA, f"{name}: all {len(pins)} pinned releases are installed")
    what = f"{len(parts)} of {len(pins)} packages are not as {name} pins them: {first_names(parts, _SHOWN)}"
    return warning(
        AREA, what, "Set the environment up anew from it; until then results may differ from those of others."
    )


def _pins(text: str) -> dict[str, str]:
    return {
        canonicalize_name(name): version for name, version, marker in _PIN.findall(text) if _applies(marker)
    }


def _applies(marker: str) -> bool:
    try:
        return not marker.strip() or Marker(marker.strip()).evaluate()
    except InvalidMarker:
        return True


def _same(left: str | None, right: str) -> bool:
    if left is None:
        return False
    try:
        return Version(left) == Version(right)
    except InvalidVersion:
        return left == right
