"""Is a recorded exchange of use: a model's answer, or a refusal of one, with all its bytes?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar
from urllib.parse import urlsplit

from llm_contracts.corpus.entries import CorpusProblem, CorpusStream, Entry, ProblemKind, UnreadableError
from llm_contracts.wire.content import Unpacked, unpacked
from llm_contracts.wire.interaction import End, Interaction, Request, Response
from llm_contracts.wire.protocols import BUILT_IN, MODELS, protocol_at

CHAT = "/chat/completions"
_FIRST_FAILURE = 400
_HOSTS: Mapping[str, str] = {
    "api.deepseek.com": "deepseek",
    "api.openai.com": "openai",
    "dashscope-intl.aliyuncs.com": "qwen",
    "dashscope.aliyuncs.com": "qwen",
}
_CALLS = tuple(one for one in BUILT_IN if one is not MODELS)
_OTHER_APIS = re.compile(
    r"/api/(chat|generate)$"  # Ollama
    r"|/(converse(-stream)?|invoke(-with-response-stream)?)$"  # Bedrock
    r"|/v[12]/chat$"  # Cohere
    r"|:(predict|streamRawPredict|rawPredict)$"  # Vertex AI
)
"""Addresses of models whose API no protocol describes: their answers are compared as they are."""


Row = TypeVar("Row")


def read_each(rows: Sequence[tuple[str, Row]], read: Callable[[Row, str, str], Entry]) -> Iterator[Entry]:
    """What a file's exchanges are, in their order.

    Args:
        rows: each with its place in the file.
        read: reads one, given its place and its id, which is its number, and empty where there is but one. It
            may raise `UnreadableError`.
    """
    for number, (place, row) in enumerate(rows):
        try:
            yield read(row, place, str(number) if len(rows) > 1 else "")
        except UnreadableError as error:
            yield error.problem
        except ValueError as error:  # its address cannot be read, say
            yield CorpusProblem(place=place, reason=f"is not a usable entry ({error}).")


def judged(stream: CorpusStream, *, fault: CorpusProblem | None = None, exact: bool = True) -> Entry:
    """The stream, its body unpacked, or what keeps it from being used.

    Args:
        stream: as a file tells of it.
        fault: what is known to be wrong with its body.
        exact: whether the body is kept byte for byte, so that its size means something.
    """
    plain = unpacked(stream.interaction.response)
    fault = fault or _unusable(stream.interaction.response, plain, exact=exact)
    if fault is not None:
        return replace(fault, place=stream.place)
    request = stream.interaction.request
    if "://" not in request.uri and not request.uri.startswith("/"):
        request = replace(request, uri=f"https://{request.uri}")  # a word stands in its origin's place
    return replace(
        stream,
        provider=provider_of(request.uri, stream.provider),
        interaction=Interaction(request=request, response=plain.response),
    )


def provider_of(uri: str, named: str = "") -> str:
    """The provider's name, if its host is known; else what the file calls it, or the host."""
    host = urlsplit(uri).hostname or ""
    return _HOSTS.get(host) or _HOSTS.get(named) or named or host or "unknown"


def require_call(request: Request, place: str) -> None:
    """Nobody looks at the answer to anything else, so what that lacks is not a complaint.

    Raises:
        UnreadableError: the request is not a call of a model, by its method and path alone.
    """
    path = urlsplit(request.uri).path
    if request.method.upper() != "POST" or not (protocol_at(request.uri, _CALLS) or _OTHER_APIS.search(path)):
        asked = f"{request.method.upper()} {path or '/'}"
        raise UnreadableError(place, f"is not a call of a model ({asked}).", ProblemKind.NOT_CHAT)


def _unusable(kept: Response, plain: Unpacked, *, exact: bool) -> CorpusProblem | None:
    if kept.end is not End.COMPLETE:
        return None  # recorded as what it was
    if kept.status == 0:
        return CorpusProblem(
            why=ProblemKind.NO_BODY, reason="got no answer: the request was blocked or given up."
        )
    if kept.status < _FIRST_FAILURE and not kept.body:
        return CorpusProblem(why=ProblemKind.NO_BODY, reason="its body was not kept.")
    if plain.fault:
        why = ProblemKind.TRUNCATED if plain.cut else ProblemKind.UNKNOWN_ENCODING
        return CorpusProblem(why=why, reason=f"its body {plain.fault}.")
    # Fewer bytes than were announced. Recorders that unpack bodies may keep the packed size.
    announced = kept.header("content-length").strip()
    stated = exact and announced.isascii() and announced.isdigit()
    if not stated or kept.header("content-encoding") or len(kept.body) >= int(announced[:18]):
        return None
    reason = f"its body has {len(kept.body)} of {announced} bytes: the rest was not kept."
    return CorpusProblem(why=ProblemKind.TRUNCATED, reason=reason)
