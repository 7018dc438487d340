"""The scripts by name.

What follows from a request (a wrong key, an unknown model, a refused parameter, a cut by `max_tokens`) is in
no script: the simulator answers such a request as the provider would, whatever plays.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from llm_contracts.wire.simulator import texts
from llm_contracts.wire.simulator.script import Answer, Ending, Refusal, Refused, Script, Turn

PLAIN = Answer(text=texts.GREETING, json_text=texts.JSON_TEXT)


def _says(text: texts.Pieces, *, ending: Ending = Ending.WHOLE, usage: bool = True) -> Answer:
    return Answer(text=text, json_text=texts.JSON_TEXT, ending=ending, usage=usage)


_THINKS = Answer(text=texts.CONCLUSION, json_text=texts.JSON_TEXT, reasoning=texts.THOUGHTS)
_FILTERED = _says(texts.DANGEROUS, ending=Ending.FILTERED)
_BROKEN = _says(texts.GREETING, ending=Ending.ERROR)

_TURNS: Mapping[str, tuple[Turn, ...]] = {
    "plain-stream": (PLAIN,),
    "multi-turn-chat": (_says(texts.FOLLOW_UP),),
    "system-prompt": (_says(texts.TEACHER),),
    "json-mode": (PLAIN,),
    "long-stream": (_says(texts.long_text()),),
    "reasoning": (_THINKS,),
    "finish-length": (PLAIN,),
    "content-filter": (_FILTERED,),
    "prompt-filter": (Refusal(why=Refused.PROMPT_FILTER),),
    "no-usage": (_says(texts.FOLLOW_UP, usage=False),),
    "wrong-key": (PLAIN,),
    "unknown-model": (PLAIN,),
    "bad-parameter": (PLAIN,),
    "rate-limit": (Refusal(why=Refused.RATE_LIMIT),),
    "rate-limit-retry-after": (Refusal(why=Refused.RATE_LIMIT, retry_after=1), PLAIN),
    "server-error": (Refusal(why=Refused.SERVER_ERROR),),
    "mid-stream-error": (_BROKEN,),
    "no-done": (_says(texts.FOLLOW_UP, ending=Ending.NO_DONE),),
    "list-models": (PLAIN,),
    "list-models-wrong-key": (PLAIN,),
    "list-models-server-error": (Refusal(why=Refused.SERVER_ERROR),),
}

SCRIPTS: Mapping[str, Script] = {name: Script(id=name, turns=turns) for name, turns in _TURNS.items()}


def script_named(name: str) -> Script:
    """The script with this name.

    Raises:
        ValueError: there is none; the message gives the nearest names.
    """
    if name in SCRIPTS:
        return SCRIPTS[name]
    nearest = ", ".join(get_close_matches(name, SCRIPTS, n=3, cutoff=0.3)) or ", ".join(SCRIPTS)
    raise ValueError(f"the simulator has no script {name!r}; nearest: {nearest}")
