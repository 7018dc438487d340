"""The scripts by name.

What follows from a request (a wrong key, an unknown model, a refused parameter, a cut by `max_tokens`) is in
no script: the simulator answers such a request as the provider would, whatever plays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches

from llm_contracts.simulator import texts
from llm_contracts.simulator.script import (
    GATEWAY,
    Ending,
    GatewayPage,
    Insert,
    Refusal,
    Refused,
    Script,
    ScriptedAnswer,
    UsagePlacement,
)

PLAIN = ScriptedAnswer(text=texts.GREETING, json_text=texts.JSON_TEXT)


def _says(text: texts.Pieces) -> ScriptedAnswer:
    return replace(PLAIN, text=text)


_FOLLOWS = _says(texts.FOLLOW_UP)

_KEEP_ALIVE = b": keep-alive\n\n"
_COMMENT = b": to be read in one piece\n\n"
_STATUS_EVENT = b'event: status\ndata: {"type":"status","progress":50}\n\n'
_HALF_EVENT = b'data: {"id":"half","object":"chat.completion.chunk","choices":[{"index":0,"del\n\n'
_BAD_GATEWAY = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"
    "<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
)


def _midway(raw: bytes, *, with_rest: bool = False) -> ScriptedAnswer:
    return replace(_FOLLOWS, inserts=(Insert(after=0.5, raw=raw, with_rest=with_rest),))


_ANSWERS: Mapping[str, ScriptedAnswer] = {
    **dict.fromkeys(("plain-stream", "json-mode", "finish-length", "content-parts"), PLAIN),
    **dict.fromkeys(("wrong-key", "unknown-model", "bad-parameter"), PLAIN),
    **dict.fromkeys(("list-models", "list-models-wrong-key"), PLAIN),
    "multi-turn-chat": _FOLLOWS,
    "system-prompt": _says(texts.TEACHER),
    "long-stream": _says(texts.long_text()),
    "reasoning": replace(_says(texts.CONCLUSION), reasoning=texts.THOUGHTS),
    "content-filter": replace(_says(texts.DANGEROUS), ending=Ending.FILTERED),
    "no-usage": replace(_FOLLOWS, usage=False),
    "no-usage-at-once": replace(
        _FOLLOWS, usage=False, inserts=(Insert(after=0.0, raw=_COMMENT, with_rest=True),)
    ),
    "mid-stream-error": replace(PLAIN, ending=Ending.ERROR),
    "no-done": replace(_FOLLOWS, ending=Ending.NO_DONE),
    "empty-answer": _says(()),
    "equal-chunks": _says(texts.EQUAL),
    "think-tags": _says(texts.THINKING_ALOUD),
    "tool-calls": replace(_says(()), arguments=texts.ARGUMENTS),
    "parallel-tool-calls": replace(_says(()), arguments=texts.ARGUMENTS, calls=2),
    "content-list": replace(_FOLLOWS, listed=True),
    "finish-normal": replace(_FOLLOWS, finish="normal"),
    "finish-no-resources": replace(_FOLLOWS, finish="insufficient_system_resource"),
    "finish-network-error": replace(_FOLLOWS, finish="network_error"),
    "finish-function-call": replace(_says(()), finish="function_call"),
    "finish-recitation": replace(_FOLLOWS, finish="RECITATION"),
    "finish-malformed-call": replace(_says(()), finish="MALFORMED_FUNCTION_CALL"),
    "finish-empty-until-the-end": replace(_FOLLOWS, unfinished=""),
    "usage-own-chunk": replace(_FOLLOWS, place=UsagePlacement.OWN),
    "usage-every-chunk": replace(_FOLLOWS, place=UsagePlacement.EVERY),
    "usage-inside-choice": replace(_FOLLOWS, place=UsagePlacement.INSIDE),
    "keep-alive": replace(
        _FOLLOWS, inserts=tuple(Insert(after=after, raw=_KEEP_ALIVE) for after in (0.0, 0.0, 0.5))
    ),
    "unknown-event": _midway(_STATUS_EVENT),
    "broken-event": _midway(_HALF_EVENT, with_rest=True),
}

_REFUSALS: Mapping[str, Refused] = {
    "prompt-filter": Refused.PROMPT_FILTER,
    "rate-limit": Refused.RATE_LIMIT,
    "server-error": Refused.SERVER_ERROR,
    "token-refused": Refused.WRONG_KEY,
    "list-models-server-error": Refused.SERVER_ERROR,
    "too-long": Refused.TOO_LONG,
    "unpaid": Refused.UNPAID,
    "overloaded": Refused.OVERLOADED,
    **{f"status-{status}": why for why, (status, _) in GATEWAY.items() if why is not Refused.OVERLOADED},
}

SCRIPTS: Mapping[str, Script] = {
    **{name: (answer,) for name, answer in _ANSWERS.items()},
    **{name: (Refusal(why=why),) for name, why in _REFUSALS.items()},
    "rate-limit-retry-after": (Refusal(why=Refused.RATE_LIMIT, retry_after=1), PLAIN),
    "status-502-page": (GatewayPage(status=502, html=_BAD_GATEWAY),),
    "error-with-200": (Refusal(why=Refused.SERVER_ERROR, status=200),),
}


def script_named(name: str, own: Mapping[str, Script]) -> Script:
    """The script with this name. `own`: those of one dialect alone.

    Raises:
        ValueError: there is none; the message gives the nearest names.
    """
    known = {**SCRIPTS, **own}
    if name in known:
        return known[name]
    nearest = ", ".join(get_close_matches(name, known, n=3, cutoff=0.3)) or ", ".join(known)
    raise ValueError(f"the simulator has no script {name!r}; nearest: {nearest}")
