"""How foreign text gets into a page without becoming part of it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import math
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from llm_contracts.results.document import json_text

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # controls, directions, half pairs, separators
_SEEN = frozenset("\n\t\u200c\u200d")  # emoji and Indic scripts need the joiners, and they move nothing
_UNSAFE = re.compile("[<>&\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def script_json(value: Any) -> str:
    """JSON that can stand between `<script>` tags: nothing in it ends the element, begins a comment or
    turns the direction of the source.
    """
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", json_text(finite(value)))


def packed(value: Any) -> str:
    """JSON, compressed, in base64. The same value gives the same text on every day."""
    data = json_text(finite(value)).encode()
    return base64.b64encode(gzip.compress(data, compresslevel=6, mtime=0)).decode()


def finite(value: Any) -> Any:
    """The value with numbers that JSON does not know (some servers send NaN) as their names."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(part) for part in value]
    return value


def visible(text: str) -> str:
    """The text with every character that hides, or turns the direction of others, written as its number."""
    hidden = {c for c in set(text) - _SEEN if unicodedata.category(c) in _HIDDEN}
    return "".join(f"⟨U+{ord(c):04X}⟩" if c in hidden else c for c in text)


def csp_hash(content: str) -> str:
    """The source expression that allows exactly this inline script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
