"""One file that serves a recording and shows what both libraries make of it, for a report upstream."""

from __future__ import annotations

import json
import re
from itertools import accumulate, pairwise
from pprint import pformat
from typing import Any

from llm_contracts.clients.call import Function
from llm_contracts.parity.compare import ABSENT
from llm_contracts.parity.divergence import Kind
from llm_contracts.project.config import ConfigError
from llm_contracts.reduce.run import CHATS, TIMED, Reduced
from llm_contracts.wire.interaction import End, Response, without
from llm_contracts.wire.proxy.headers import FRAMING

_SDK = "{}(base_url=url, api_key='none').{}.create(**ASK)"
_LITELLM = "litellm.{}(api_base=url, api_key='none', custom_llm_provider='{}', **ASK)"
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
    ("litellm-async", Function.MESSAGES): f"asyncio.run(whole({_LITELLM}))".format(
        "anthropic.messages.acreate", "anthropic"
    ),
}
"""How a call of a library is written: with its defaults, as the built-in client makes it."""

_ASKED = {
    Kind.REQUEST_BODY: "body.decode()",
    Kind.REQUEST_TARGET: "self.requestline",
    Kind.REQUEST_HEADERS: "self.headers",
    Kind.ATTEMPTS: "self.requestline",
}
"""What a provider prints of a request, where that is what differs."""

_WITH_IDS = frozenset({Kind.RESPONSE_ID, Kind.FIELDS, Kind.SURFACE})
"""Kinds that may be about what is otherwise left out of the output, because it is another in each run."""

_FILE = '''"""{title}

pip install {names} && python {file}"""
import {modules}

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # or it asks GitHub for prices
import {libraries}

ASK = {ask}
{answers}

{whole}class Provider(http.server.BaseHTTPRequestHandler):
    log_message = lambda *_: None

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
{answering}

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{{server.server_port}}{base}"
for library, call in {{
{calls}
}}.items():
    print("---", library, importlib.metadata.version(library))
{before}    try:
        for part in {parts}:
            print({shown})
    except Exception as error:
        print(f"{{type(error).__module__}}.{{type(error).__name__}}: {{error}}"[:300])
'''

_WHOLE = """async def whole(call):
    answer = await call
    return [part async for part in answer] if hasattr(answer, "__aiter__") else answer

"""


def reproduction(reduced: Reduced, *, reference: str, candidate: str, file: str) -> str:
    """The text of the file.

    Raises:
        ConfigError: it takes clients that are built in and make such a call, and connections that are closed
            in order.
    """
    function = Function.INVOKE if reduced.call.function in CHATS else reduced.call.function
    names = [reference, candidate]
    if unknown := [name for name in names if (name, function) not in _CALLS]:
        able = ", ".join(name for name, made in _CALLS if made is function) or "none"
        raise ConfigError(f"A reproduction of {function} can be written for {able}, not for {unknown[0]}.")
    responses = [each.response for each in reduced.interactions]
    if not {each.end for each in responses} <= {End.COMPLETE, End.CUT}:
        raise ConfigError("A connection that is reset or falls silent is more than a reproduction serves.")
    difference = reduced.difference
    timed = difference.kind in TIMED
    waits = any(name.endswith("-async") for name in names)
    libraries = [name.removesuffix("-async") for name in names]
    ask = _ask(reduced)
    shown = "part" if function is Function.MESSAGES else "part.model_dump(exclude_none=True)"
    if difference.kind not in _WITH_IDS:
        shown = shown.replace("True", "True, exclude={'created', 'id', 'object'}")
    answers = ",\n".join(_answer(each, timed=timed) for each in responses)
    answer, several = "ANSWER", len(responses) > 1
    if several:
        answers, answer = f"[\n{answers},\n]", "answers.pop(0)"
    answering = f"        self.wfile.write({answer})"
    if timed:
        answering = f"""        for piece in {answer}:
            self.wfile.write(piece)
            time.sleep(0.3)"""
    if asked := _ASKED.get(difference.kind):
        answering = f"        print({asked})\n{answering}"
    modules = (
        ["asyncio"] * waits + ["http.server", "importlib.metadata", "os", "threading"] + ["time"] * timed
    )
    return _FILE.format(
        title=f"{difference.kind} at {difference.where}: {candidate} says {_value(difference.candidate)}, "
        f"{reference} {_value(difference.reference)}.",
        names=" ".join(libraries),
        file=file,
        modules=", ".join(modules),
        libraries=", ".join(sorted(libraries)),
        ask=pformat(ask, width=150, sort_dicts=False),
        answers=f"ANSWER{'S' * several} = {answers}",
        whole=_WHOLE if waits else "",
        answering=answering,
        base="" if function is Function.MESSAGES else "/v1",
        calls="\n".join(
            f'    "{library}": lambda: {_CALLS[name, function]},'
            for name, library in zip(names, libraries, strict=True)
        ),
        before="    answers = list(ANSWERS)\n" * several + "    begun = time.monotonic()\n" * timed,
        parts="call()" if ask.get("stream") else "[call()]",
        shown="round(time.monotonic() - begun, 1), " * timed + shown,
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


def _answer(response: Response, *, timed: bool) -> str:
    """The bytes of HTTP, one event a line; a tuple of pieces where it depends on them."""
    lines = [f"HTTP/1.1 {response.status} {response.reason}".rstrip()]
    lines += [f"{name}: {value}" for name, value in without(response.headers, FRAMING)]
    if response.end is End.CUT:
        lines.append(f"Content-Length: {len(response.body) + 1}")  # one byte never comes
    parts = re.findall(rb".+?(?:\n\n+|\Z)", response.body, re.DOTALL)
    if timed and response.pieces:
        ends = accumulate((piece.size for piece in response.pieces), initial=0)
        parts = [response.body[a:b] for a, b in pairwise(ends)]
    rows = [("\r\n".join(lines) + "\r\n\r\n").encode(), *parts]
    return "(\n{}\n)".format("\n".join(f"    {row!r}{',' * timed}" for row in rows))
