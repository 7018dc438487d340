"""One file that serves a recording and shows what both libraries make of it, for a report upstream."""

from __future__ import annotations

import json
import re
from pprint import pformat
from typing import Any

from llm_contracts.clients.call import Function
from llm_contracts.parity.compare import ABSENT
from llm_contracts.parity.divergence import Kind
from llm_contracts.project.config import ConfigError
from llm_contracts.reduce.run import CHATS, Reduced
from llm_contracts.wire.interaction import Interaction

_SDK = "{}(base_url=url, api_key='none', max_retries=0).{}.create(**ASK)"
_LITELLM = "litellm.{}(api_base=url, api_key='none', max_retries=0, custom_llm_provider='{}', **ASK)"
_CALLS = {
    ("openai", Function.INVOKE): _SDK.format("openai.OpenAI", "chat.completions"),
    ("openai", Function.RESPONSES): _SDK.format("openai.OpenAI", "responses"),
    ("openai", Function.EMBEDDINGS): _SDK.format("openai.OpenAI", "embeddings"),
    ("openai", Function.COMPLETIONS): _SDK.format("openai.OpenAI", "completions"),
    ("anthropic", Function.MESSAGES): _SDK.format("anthropic.Anthropic", "messages"),
    ("litellm", Function.INVOKE): _LITELLM.format("completion", "openai"),
    ("litellm", Function.RESPONSES): _LITELLM.format("responses", "openai"),
    ("litellm", Function.EMBEDDINGS): _LITELLM.format("embedding", "openai"),
    ("litellm", Function.COMPLETIONS): _LITELLM.format("text_completion", "text-completion-openai"),
    ("litellm-async", Function.MESSAGES): "asyncio.run(awaited("
    + _LITELLM.format("anthropic.messages.acreate", "anthropic")
    + "))",
}
"""How a call of a library is written."""

_ASKED = {
    Kind.REQUEST_BODY: "asked",
    Kind.REQUEST_TARGET: "self.requestline",
    Kind.REQUEST_HEADERS: "*self.headers.items(), sep='\\n'",
    Kind.ATTEMPTS: "self.requestline",
}
"""What a provider prints of a request, where that is what differs."""

_WITH_IDS = frozenset({Kind.RESPONSE_ID, Kind.FIELDS, Kind.SURFACE})
"""Kinds that may be about what is otherwise left out of the output, because it is another in each run."""

_FILE = '''"""{title}

    pip install {names} && python {file}
"""

import {asyncio}http.server, os, threading
from importlib.metadata import version

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # or it asks GitHub for prices
import {names_imported}

ASK = {ask}
STATUS, TYPE = {status}, {type}
BODY = (
{body}
)


class Provider(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode(){asked}
        self.send_response(STATUS)
        self.send_header("Content-Type", TYPE)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_):
        pass


{awaited}def show(name, call):
    print(f"--- {{name}} {{version(name)}}")
    try:
        answer = call()
        for part in [answer] if hasattr(answer, "model_dump") or isinstance(answer, dict) else answer:
            dump = getattr(part, "model_dump", lambda **_: part)
            print(dump(exclude_none=True, exclude={exclude}))
    except Exception as error:
        print(f"{{type(error).__module__}}.{{type(error).__name__}}: {{error}}"[:300])


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{{server.server_port}}{base}"
{shows}
'''


_AWAITED = """async def awaited(answer):
    answer = await answer
    return [part async for part in answer] if hasattr(answer, "__aiter__") else answer


"""


def reproduction(reduced: Reduced, *, reference: str, candidate: str, file: str) -> str:
    """The text of the file.

    Raises:
        ConfigError: it takes clients that are built in and make such a call, and one exchange.
    """
    function = Function.INVOKE if reduced.call.function in CHATS else reduced.call.function
    names = [reference, candidate]
    if unknown := [name for name in names if (name, function) not in _CALLS]:
        able = ", ".join(name for name, made in _CALLS if made is function) or "none"
        raise ConfigError(f"A reproduction of {function} can be written for {able}, not for {unknown[0]}.")
    if len(reduced.interactions) > 1:
        raise ConfigError("This difference takes several exchanges: that is more than a reproduction serves.")
    (interaction,) = reduced.interactions
    difference = reduced.difference
    waits = any(name.endswith("-async") for name in names)
    title = (
        f"{difference.kind} at {difference.where}: {candidate} says {_value(difference.candidate)}, "
        f"{reference} {_value(difference.reference)}."
    )
    libraries = [name.removesuffix("-async") for name in names]
    return _FILE.format(
        title=title,
        names=" ".join(libraries),
        names_imported=", ".join(sorted(libraries)),
        file=file,
        asyncio="asyncio, " if waits else "",
        awaited=_AWAITED if waits else "",
        asked=f"\n        print({_ASKED[difference.kind]})" if difference.kind in _ASKED else "",
        ask=pformat(_ask(reduced), width=110, sort_dicts=False),
        status=interaction.response.status,
        type=repr(interaction.response.header("content-type", "application/json")),
        body=_body(interaction),
        exclude="set()" if difference.kind in _WITH_IDS else "{'created', 'id', 'object'}",
        base="" if function is Function.MESSAGES else "/v1",
        shows="\n".join(
            f'show("{library}", lambda: {_CALLS[name, function]})'
            for name, library in zip(names, libraries, strict=True)
        ),
    )


def _ask(reduced: Reduced) -> dict[str, Any]:
    call = reduced.call
    if call.function in CHATS:
        return {"model": call.model, "messages": list(call.messages), "stream": True, **call.params}
    named = {Function.MESSAGES: "messages", Function.COMPLETIONS: "prompt"}.get(call.function, "input")
    asked = list(call.messages) if call.function is Function.MESSAGES else call.input
    return {"model": call.model, named: asked, **call.params}


def _value(value: Any) -> str:
    return "nothing" if value == ABSENT else json.dumps(value, ensure_ascii=False, default=str)[:80]


def _body(interaction: Interaction) -> str:
    lines = re.findall(rb"[^\n]*\n|[^\n]+", interaction.response.body)
    return "\n".join(f"    {line!r}" for line in lines) or "    b''"
