"""Keys and other variables: which are set and where, and which look misspelt. Values are never shown."""

from __future__ import annotations

import difflib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from io import StringIO
from pathlib import Path

from llm_contracts.doctor.finding import Finding, fault, note, ok, warning
from llm_contracts.project.config import env_file
from llm_contracts.project.scenario import Provider
from llm_contracts.util.git import git

FILE = ".env"
_EXAMPLE = re.compile(r"^#?[ \t]*(?:export[ \t]+)?([A-Z][A-Z0-9_]*)=", re.MULTILINE)
_PLACEHOLDER = re.compile(r"(?i)^(?:<.*>|\.{3}|x{3,}|change.?me|todo|none|null|your[-_ ].*|.*\.{3})$")
_NEAR = 0.84
_OTHERS = stat.S_IRWXG | stat.S_IRWXO

Where = Mapping[str, Mapping[str, str | None]]
"""Provider → variable → `environment`, `.env`, or None where it is not set."""


def stored_variables(file: Path) -> tuple[dict[str, str], list[Finding]]:
    """The variables of a `.env` file, and what is wrong with the file. A missing file has none."""
    from dotenv.parser import parse_stream

    if not file.exists():
        return {}, [note("there is none: keys come from the environment alone")]
    try:
        text = env_file(file)
    except (OSError, UnicodeDecodeError) as error:
        way_out = "Make it a file in UTF-8 that you may read."
        return {}, [fault(f"cannot be read ({type(error).__name__})", way_out)]
    bindings = list(parse_stream(StringIO(text)))
    found = {binding.key: binding.value or "" for binding in bindings if binding.key and not binding.error}
    faulty = [str(binding.original.line) for binding in bindings if binding.error]
    findings = [ok(f"{len(found)} variables")]
    if faulty:
        said = f"line {', '.join(faulty)} is not an assignment, so it is ignored"
        findings.append(warning(said, "Write NAME=value, with quotes around blanks."))
    folder, name = file.parent, file.name
    if git(folder, "ls-files", "--error-unmatch", "--", name) is not None:
        way_out = "git rm --cached .env, add .env to .gitignore, and replace every key in it."
        findings.append(fault("git tracks it: whoever has the repository has the keys", way_out))
    elif git(folder, "rev-parse", "--git-dir") and git(folder, "check-ignore", "-q", "--", name) is None:
        findings.append(fault("git does not ignore it", "Add .env to .gitignore."))
    if text.strip() and os.name != "nt" and file.stat().st_mode & _OTHERS:
        findings.append(note("others on this machine may read it (chmod 600 .env)"))
    return found, findings


def where_set(
    providers: Iterable[Provider], environ: Mapping[str, str], stored: Mapping[str, str]
) -> dict[str, dict[str, str | None]]:
    """For each provider, where each half of its key is set. An empty value counts as none."""
    places = (("environment", environ), (FILE, stored))
    return {
        provider.name: {
            name: next((place for place, values in places if values.get(name, "").strip()), None)
            for name in (provider.key_variable, provider.second_key_variable)
            if name
        }
        for provider in providers
    }


def examine_keys(where: Where, values: Mapping[str, str]) -> Iterator[Finding]:
    """Which providers can be recorded, and which keys cannot be what they should. `values`: by variable."""
    for provider, variables in where.items():
        missing = [name for name, place in variables.items() if place is None]
        if not missing:
            for name in variables:
                if flaw := _flaw(values.get(name, "").strip()):
                    yield warning(f"{provider}: {name} {flaw}", "Copy it again from the provider's console.")
            yield ok(f"{provider}: {', '.join(f'{name} ({place})' for name, place in variables.items())}")
        elif len(missing) < len(variables):
            said = f"{provider}: only half of its key is set; {', '.join(missing)} is missing"
            yield warning(said, "Set both, or neither.")
        else:
            yield note(f"{provider}: {' and '.join(missing)} not set, so recording skips it")


def _flaw(value: str) -> str:
    """What shows that a value is not a key, without showing the value."""
    flaws = {
        "holds a placeholder": _PLACEHOLDER.match(value),
        "is in quotes that belong to its value": value.startswith(('"', "'")),
        "has blanks in it": any(letter.isspace() for letter in value),
        "has letters in it that no key has": not (value.isascii() and value.isprintable()),
    }
    return next((flaw for flaw, is_there in flaws.items() if is_there), "")


def known_variables(root: Path, providers: Iterable[Provider]) -> set[str]:
    """Those of the providers, and those that `.env.example` lists, commented out or not."""
    named = {
        name
        for row in providers
        for name in (row.key_variable, row.second_key_variable, row.base_url_variable)
        if name
    }
    example = root / ".env.example"
    text = example.read_text(encoding="utf-8", errors="replace") if example.is_file() else ""
    return named | set(_EXAMPLE.findall(text))


def examine_names(
    known: Iterable[str], environ: Mapping[str, str], stored: Mapping[str, str]
) -> Iterator[Finding]:
    """Variables that nothing reads: all of those in `.env`, and those of the environment that resemble one
    that is read and not set.
    """
    names = sorted(known)
    unset = [name for name in names if not environ.get(name) and not stored.get(name)]
    for place, unread, candidates in (
        (FILE, stored.keys() - set(names), names),
        ("the environment", environ.keys() - set(names) - stored.keys(), unset),
    ):
        for name in sorted(unread):
            near = difflib.get_close_matches(name, candidates, n=1, cutoff=_NEAR)
            if near and (place == FILE or environ[name].strip()):
                said = f"{name}, set in {place}, is not read by anything"
                yield warning(said, f"Did you mean {near[0]}?")
            elif place == FILE:
                unknown = note(f"{name} is set there, and nothing here is known to read it")
                yield replace(unknown, area=FILE)
