"""What keys look like where nobody has told us their value. Masks are stars, which none of these match."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

# No part of a longer word; but a letter that JSON escapes, as in `\\nsk-…`, is no letter of that word.
_BEGINNING = rb"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrt]))"
_WITH_DIGIT = rb"(?=[A-Za-z_-]{0,80}[0-9])"

SHAPES: Mapping[str, re.Pattern[bytes]] = {
    what: re.compile(_BEGINNING + shape)
    for what, shape in {
        "an OpenAI-like key": rb"sk-" + _WITH_DIGIT + rb"[A-Za-z0-9_-]{16,}",
        "a Google key": rb"AIza[A-Za-z0-9_-]{35}",
        "a Google token": rb"ya29\.[A-Za-z0-9_-]{20,}",
        "an AWS key id": rb"(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])",
        "a Volcengine key id": rb"AKLT[A-Za-z0-9+/=_-]{20,}",
        "a Qianfan key": rb"bce-v3/ALTAK-[A-Za-z0-9]+/[0-9a-f]{8,}",
        "a BigModel key": rb"[0-9a-f]{32}\.[A-Za-z0-9]{16}(?![A-Za-z0-9])",
        "a Dify key": rb"app-[A-Za-z0-9]{24}(?![A-Za-z0-9])",
        "a GitHub token": rb"(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{40,})",
        "a Hugging Face token": rb"hf_[A-Za-z0-9]{30,}",
        "a Langfuse key": rb"[ps]k-lf-[0-9a-f-]{36}",
        "a bearer token": rb"[Bb]earer\s{1,4}" + _WITH_DIGIT + rb"[A-Za-z0-9._~+/-]{20,}",
        "a JSON web token": rb"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*",
        "a private key": rb"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----",
        "an OpenAI organisation or project": rb"(?:org|proj)[-_](?=[A-Za-z]{0,30}[0-9])[A-Za-z0-9]{20,}",
    }.items()
}
"""What it would be → its pattern. The prefixes are those that the providers document for their keys."""


def shapes_in(data: bytes) -> Iterator[str]:
    """What in the data looks like a key, by its kind; the value is never given."""
    return (what for what, shape in SHAPES.items() if shape.search(data))
