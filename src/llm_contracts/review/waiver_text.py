"""Waivers as text that is appended to the file people write by hand: nothing that stands there is touched."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable

from llm_contracts.parity.waiver import Waiver

_WIDTH = 110


def appended(text: str, rows: Iterable[Waiver]) -> str:
    """The file's text with these rows at its end, an empty line before each."""
    body = text if not text or text.endswith("\n") else text + "\n"
    parts = [waiver_text(row) for row in rows]
    gap = "\n" if body.strip() and parts else ""
    return body.rstrip("\n") + ("\n" if body.strip() else "") + gap + "\n".join(parts) if parts else text


def waiver_text(row: Waiver) -> str:
    """One row as TOML, keys in the order of the documentation."""
    lines = ["[[waiver]]", f'kind = "{row.kind}"']
    lines += [f"{name} = {_names_text(getattr(row, name))}" for name in ("provider", "scenario")]
    for name in ("where", "reference", "candidate", "litellm", "openai"):
        value = getattr(row, name)
        if value is not None and (name, value) != ("where", "*"):
            lines.append(f"{name} = {_string(value)}")
    lines += [f"reason = {_reason(row.reason)}", f"by = {_string(row.by)}", f"until = {row.until}"]
    return "\n".join(lines) + "\n"


def _names_text(names: str) -> str:
    """One name as a text, several as a list; a long list gets a line for each."""
    found = [_string(name) for name in names.split("|")]
    if len(found) == 1:
        return found[0]
    one_line = f"[{', '.join(found)}]"
    if len(one_line) + len("scenario = ") <= _WIDTH:
        return one_line
    return "[\n" + "".join(f"  {name},\n" for name in found) + "]"


def _reason(reason: str) -> str:
    """In one line, or folded in a multi-line string whose line ends are not part of it."""
    one_line = _string(" ".join(reason.split()))
    if len(one_line) + len("reason = ") <= _WIDTH:
        return one_line
    folded = textwrap.wrap(
        one_line[1:-1], _WIDTH - 2, initial_indent=" " * 12, break_long_words=False, break_on_hyphens=False
    )
    return '"""' + " \\\n".join(folded).lstrip() + '"""'


def _string(value: str) -> str:
    # A JSON string is a TOML basic string, but for DEL and lone surrogates, which neither may stand bare.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
