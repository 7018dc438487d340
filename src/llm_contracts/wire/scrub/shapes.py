"""What keys look like whose value is not known. Masks are stars, which none of these match."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_WITH_DIGIT = rb"(?=[A-Za-z_-]{0,80}[0-9])"
_HEX = rb"[0-9a-f]"


def _shape(prefix: bytes, rest: bytes) -> re.Pattern[bytes]:
    r"""A word that begins so and goes on so. A letter that JSON escapes, as in `\nsk-…`, is not part of it.

    What stands before is looked at after the prefix has matched: a pattern that begins with letters is
    searched many times faster.
    """
    before = rb"(?:(?<![A-Za-z0-9_-]%b)|(?<=\\[nrt]%b))" % (prefix, prefix)
    return re.compile(prefix + before + rest)


_OPENAI = "an OpenAI-like key"

SHAPES: Mapping[str, tuple[re.Pattern[bytes], ...]] = {
    _OPENAI: (_shape(b"sk-", _WITH_DIGIT + rb"[A-Za-z0-9_-]{16,}"),),
    "a Google key": (_shape(b"AIza", rb"[A-Za-z0-9_-]{35}"),),
    "a Google token": (_shape(rb"ya29\.", rb"[A-Za-z0-9_-]{20,}"),),
    "an AWS key id": tuple(_shape(prefix, rb"[A-Z0-9]{16}(?![A-Z0-9])") for prefix in (b"AKIA", b"ASIA")),
    "a Volcengine key id": (_shape(b"AKLT", rb"[A-Za-z0-9+/=_-]{20,}"),),
    "a Qianfan key": (_shape(b"bce-v3/ALTAK-", rb"[A-Za-z0-9]+/[0-9a-f]{8,}"),),
    "a BigModel key": (_shape(_HEX, _HEX + rb"{31}\.[A-Za-z0-9]{16}(?![A-Za-z0-9])"),),
    "a Dify key": (_shape(b"app-", rb"[A-Za-z0-9]{24}(?![A-Za-z0-9])"),),
    "a GitHub token": (
        _shape(b"gh[pousr]_", rb"[A-Za-z0-9]{36}"),
        _shape(b"github_pat_", rb"[A-Za-z0-9_]{40,}"),
    ),
    "a Hugging Face token": (_shape(b"hf_", rb"[A-Za-z0-9]{30,}"),),
    "a Langfuse key": tuple(_shape(prefix, _HEX + rb"[0-9a-f-]{35}") for prefix in (b"sk-lf-", b"pk-lf-")),
    "a bearer token": tuple(
        _shape(prefix, rb"\s{1,4}" + _WITH_DIGIT + rb"[A-Za-z0-9._~+/-]{20,}")
        for prefix in (b"Bearer", b"bearer")
    ),
    "a JSON web token": (_shape(b"eyJ", rb"[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*"),),
    "a private key": (_shape(b"-----BEGIN ", rb"[A-Z ]{0,20}PRIVATE KEY-----"),),
    "an OpenAI organisation or project": tuple(
        _shape(prefix, rb"[-_](?=[A-Za-z]{0,30}[0-9])[A-Za-z0-9]{20,}") for prefix in (b"org", b"proj")
    ),
}
"""What it would be → its patterns. The prefixes are those that the providers document for their keys."""

_IN_SOURCE = {**SHAPES, _OPENAI: (_shape(b"sk-", _WITH_DIGIT + rb"[A-Za-z0-9_-]{32,}"),)}
"""Source code makes keys up for its tests; real ones of this family have 32 characters and more."""


def shapes_in(data: bytes) -> Iterator[str]:
    """What in a recording looks like a key, by its kind; the value is never given."""
    return (what for what, shapes in SHAPES.items() if any(shape.search(data) for shape in shapes))


def shapes_in_source(data: bytes) -> Iterator[tuple[str, int]]:
    """What in a file that people wrote looks like a key, and where it begins."""
    for what, shapes in _IN_SOURCE.items():
        for shape in shapes:
            yield from ((what, match.start()) for match in shape.finditer(data))
