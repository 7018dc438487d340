"""One file that serves a recording and shows what both libraries make of it, for a report upstream."""

from __future__ import annotations

import json
import re
from pprint import pformat
from typing import Any

from llm_contracts.parity.divergence import Kind
from llm_contracts.project.config import ConfigError
from llm_contracts.reduce.run import CHATS, Reduced
from llm_contracts.wire.interaction import Interaction

_CALLS = {
    "openai": "openai.OpenAI(base_url=url, api_key='none', max_retries=0).chat.completions.create(**ASK)",
    "litellm": "litellm.completion(api_base=url, api_key='none', max_retries=0, "
    "custom_llm_provider='openai', **ASK)",
}
_ASKED = {
    Kind.REQUEST_BODY: "asked",
    Kind.REQUEST_TARGET: "self.requestline",
    Kind.REQUEST_HEADERS: "*self.headers.items(), sep='\\n'",
    Kind.ATTEMPTS: "self.requestline",
}
"""What a provider prints of a request, where that is what differs."""

_FILE = '''"""{title}

    pip install {names} && python {file}
"""

import http.server, threading
from importlib.metadata import version

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


def show(name, call):
    print(f"--- {{name}} {{version(name)}}")
    try:
        answer = call()
        for chunk in [answer] if hasattr(answer, "model_dump") else answer:
            print(chunk.model_dump(exclude_none=True, exclude={{"created", "id", "object"}}))
    except Exception as error:
        print(f"{{type(error).__module__}}.{{type(error).__name__}}: {{error}}"[:300])


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{{server.server_port}}/v1"
{shows}
'''


def reproduction(reduced: Reduced, *, reference: str, candidate: str, file: str) -> str:
    """The text of the file.

    Raises:
        ConfigError: it takes clients that are built in, a chat, and one exchange.
    """
    if unknown := {reference, candidate} - set(_CALLS):
        raise ConfigError(
            f"A reproduction can be written for {' and '.join(_CALLS)}, not for {min(unknown)}."
        )
    if reduced.call.function not in CHATS:
        raise ConfigError(f"A reproduction can be written for chats, not for {reduced.call.function}.")
    if len(reduced.interactions) > 1:
        raise ConfigError("This difference takes several exchanges: that is more than a reproduction serves.")
    (interaction,) = reduced.interactions
    difference = reduced.difference
    title = (
        f"{difference.kind} at {difference.where}: {candidate} says {_value(difference.candidate)}, "
        f"{reference} {_value(difference.reference)}."
    )
    names = [reference, candidate]
    return _FILE.format(
        title=title,
        names=" ".join(names),
        names_imported=", ".join(sorted(names)),
        file=file,
        asked=f"\n        print({_ASKED[difference.kind]})" if difference.kind in _ASKED else "",
        ask=pformat(_ask(reduced), width=110, sort_dicts=False),
        status=interaction.response.status,
        type=repr(interaction.response.header("content-type", "application/json")),
        body=_body(interaction),
        shows="\n".join(f'show("{name}", lambda: {_CALLS[name]})' for name in names),
    )


def _ask(reduced: Reduced) -> dict[str, Any]:
    call = reduced.call
    return {"model": call.model, "messages": list(call.messages), "stream": True, **call.params}


def _value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)[:80]


def _body(interaction: Interaction) -> str:
    lines = re.findall(rb"[^\n]*\n|[^\n]+", interaction.response.body)
    return "\n".join(f"    {line!r}" for line in lines) or "    b''"
