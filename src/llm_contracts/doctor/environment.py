"""Python and the packages: are they those that are supported, and those that are pinned?"""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Iterable, Iterator
from email.message import Message
from importlib import metadata
from pathlib import Path
from typing import cast

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from llm_contracts.doctor.finding import Finding, fault, note, ok, warning
from llm_contracts.util.text import first_names

_PIN = re.compile(
    r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)[ \t]*(?:;([^\\\n]+))?", re.MULTILINE
)
_NAMED = ("litellm", "openai")
_SHOWN = 6
_PINNED = ("requirements.lock", "requirements.txt")
_OTHER_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml")

Installed = Callable[[str], str | None]
"""The version of a distribution, by its canonical name; None where it is not installed."""


def metadata_of_the_harness() -> Message:
    """What the installed distribution says; nothing where the harness runs without having been installed."""
    try:
        return cast("Message", metadata.metadata("llm-contracts"))
    except metadata.PackageNotFoundError:
        return Message()


def examine_environment(
    root: Path, *, installed: Installed, supported: Message, python: str | None = None
) -> Iterator[Finding]:
    """Compare what is installed with the supported ranges and with the project's lock file.

    Args:
        root: the project's folder.
        installed: gives versions; see `util.versions.installed_version`.
        supported: has the ranges. Those of an extra matter only where its package is installed.
        python: the interpreter's version; by default, of the one that runs this.
    """
    version, wanted = python or platform.python_version(), "".join(supported.get_all("Requires-Python", ()))
    if wanted and not SpecifierSet(wanted).contains(version, prereleases=True):
        way_out = f"Set up the environment with a Python that is {wanted}."
        yield fault(f"Python {version} is not supported", way_out)
    else:
        yield ok(f"Python {version}{wanted and f' (supported: {wanted})'}")
    yield from _packages(supported.get_all("Requires-Dist", ()), installed)
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
            continue
        there = "is not installed" if version is None else f"{version} is outside the supported range"
        yield fault(
            f"{requirement.name} {there} ({requirement.specifier})",
            f'Install it: pip install "{requirement.name}{requirement.specifier}", or from the lock file.',
        )
    named = ", ".join(f"{name} {fitting[name]}" for name in _NAMED if name in fitting)
    if fitting:
        yield ok(f"{len(fitting)} packages within their supported ranges: {named}")


def _lock(root: Path, installed: Installed) -> Finding:
    there = [name for name in (*_PINNED, *_OTHER_LOCKS) if (root / name).is_file()]
    if not there:
        return note("no lock file: another day may install other releases")
    name = there[0]
    if name in _OTHER_LOCKS:
        return note(f"{name} pins the packages; whether they are installed as pinned, its own tool can tell")
    found = _PIN.findall((root / name).read_text(encoding="utf-8", errors="replace"))
    pins = {str(canonicalize_name(pin)): version for pin, version, marker in found if _applies(marker)}
    if not pins:
        return note(f"{name} pins no releases")
    here = {pin: installed(pin) for pin in pins}
    parts = [
        f"{pin} {here[pin]} for {version}" if here[pin] else f"{pin} is not installed"
        for pin, version in pins.items()
        if not _same(here[pin], version)
    ]
    if not parts:
        return ok(f"{name}: all {len(pins)} pinned releases are installed")
    return warning(
        f"{len(parts)} of {len(pins)} packages are not as {name} pins them: {first_names(parts, _SHOWN)}",
        "Set the environment up anew from it; until then results may differ from those of others.",
    )


def _applies(marker: str) -> bool:
    try:
        return not marker.strip() or Marker(marker.strip()).evaluate()
    except InvalidMarker:
        return True


def _same(left: str | None, right: str) -> bool:
    try:
        return left is not None and Version(left) == Version(right)
    except InvalidVersion:
        return left == right
