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
        installed: gives versions; see `util.versions.installed_version`.
        supported: the ranges. Those of an extra matter only where its package is installed.
        python: the interpreter's version; by default, of the one that runs this.
    """
    version = python or platform.python_version()
    if supported.python and not SpecifierSet(supported.python).contains(version, prereleases=True):
        way_out = f"Set up the environment with a Python that is {supported.python}."
        yield fault(AREA, f"Python {version} is not supported", way_out)
    else:
        said = f" (supported: {supported.python})" if supported.python else ""
        yield ok(AREA, f"Python {version}{said}")
    yield from _packages(supported.requirements, installed)
    yield _lock(root, installed)


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
        if not wanted and (version is None or requirement.extras):  # nobody knows whether `[proxy]` is meant
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
            found = _PIN.findall((root / name).read_text(encoding="utf-8", errors="replace"))
            pins = {str(canonicalize_name(pin)): v for pin, v, marker in found if _applies(marker)}
            return _compared(name, pins, installed)
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
    way_out = "Set the environment up anew from it; until then results may differ from those of others."
    return warning(AREA, what, way_out)


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
