"""The two providers whose protocols nobody's SDK speaks: ERNIE's first API, and Dify's apps.

What cannot happen with them, with the reason, and what happens with them alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.contracts.situations import GREETING, Situation

_NO_LISTING = "our list of its models is static: nobody is asked"
_NOT_SENT = "a name that is not in our list is refused before anything is sent"
_NEVER_AGAIN = "the old client never asks again, so nothing that comes later is recorded"
_NO_DONE = "it never says [DONE]: that is every one of its streams"
_TEXT_ALONE = "it is asked in text alone"
_NO_TOOLS = "our product uses none of its tools"
_NO_THINKING = "our models of it do not think"
_FIXED = "an app's parameters are fixed in the app: none is sent"
_IN_THE_BODY = "its errors come with status 200: these are the others of its rows"
_NO_NAMES = "its stream has no names of events"
_NOT_KNOWN = "nobody knows what it says then"
_MODERATED = "its moderation replaces: those are the situations of its own"

_NEITHER: Mapping[str, str] = {
    "unknown-model": _NOT_SENT,
    "rate-limit-retry-after": _NEVER_AGAIN,
    "no-done": _NO_DONE,
    "reasoning": _NO_THINKING,
    "tool-calls": _NO_TOOLS,
    "content-parts": _TEXT_ALONE,
    "list-models": _NO_LISTING,
    "list-models-wrong-key": _NO_LISTING,
    "list-models-server-error": _NO_LISTING,
}

NOT_APPLICABLE: Mapping[tuple[str, str], str] = {
    **{(name, situation): why for name in ("ernie_v1", "dify") for situation, why in _NEITHER.items()},
    ("ernie_v1", "prompt-filter"): _NOT_KNOWN,
    ("ernie_v1", "unknown-event"): _NO_NAMES,
    **{
        ("ernie_v1", f"status-{status}"): _IN_THE_BODY
        for status in ("403", "404", "408", "409", "422", "529")
    },
    ("dify", "json-mode"): _FIXED,
    ("dify", "finish-length"): _FIXED,
    ("dify", "bad-parameter"): _FIXED,
    ("dify", "content-filter"): _MODERATED,
    ("dify", "prompt-filter"): _MODERATED,
    ("dify", "too-long"): _NOT_KNOWN,
}

OTHERWISE: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("ernie_v1", "finish-length"): {"params": {"max_output_tokens": 16}},
    # The real one always counts. The old client hangs up on the first line: all must be there by then.
    ("ernie_v1", "no-usage"): {"live": False, "script": "no-usage-at-once"},
    # With status 200 a recorder cannot tell this refusal from a bad day of ERNIE's.
    ("ernie_v1", "bad-parameter"): {"live": False},
    ("dify", "no-usage"): {"live": False},
}


def _dify(situation: str, **more: Any) -> Situation:
    return Situation(
        id=situation,
        messages=GREETING,
        live=False,
        only=("dify",),
        elsewhere="only Dify's apps do such a thing",
        **more,
    )


SITUATIONS: tuple[Situation, ...] = (
    Situation(
        id="token-refused",
        messages=GREETING,
        live=False,
        expects="failure",
        only=("ernie_v1",),
        elsewhere="only ERNIE's first API sells tokens",
    ),
    _dify("dify-ping"),
    _dify("dify-agent"),
    _dify("dify-new-agent"),
    _dify("dify-workflow"),
    _dify("dify-workflow-failed", expects="failure"),
    _dify("dify-replaced"),
    _dify("dify-replaced-at-once"),
    _dify("dify-reasoning"),
    _dify("dify-sound"),
)
