"""Raw bodies with an index: `index.jsonl`, a line for each, with `id`, `provider`, `file` and `status`, and
where they are known `content_type`, `url` and `request`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag

from llm_contracts.corpus.entries import CorpusProblem, CorpusStream, Entry
from llm_contracts.corpus.judge import CHAT, judged, provider_of
from llm_contracts.util.files import read_file
from llm_contracts.wire.facts import read_facts
from llm_contracts.wire.interaction import Interaction, Request, Response
from llm_contracts.wire.protocols import GENERIC

INDEX = "index.jsonl"
_URLS: Mapping[str, str] = {
    "deepseek": "https://api.deepseek.com/chat/completions",
    "openai": "https://api.openai.com/v1/chat/completions",
    "qwen": "https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions",
}
_PATHS: Mapping[str, str] = {
    "anthropic-messages": "/v1/messages",
    "gemini": "/v1beta/models/unknown:streamGenerateContent",
    "openai-responses": "/v1/responses",
    "openai-completions": "/v1/completions",
    "embeddings": "/v1/embeddings",
    "models": "/v1/models",
    GENERIC: "/unknown",
}


def read_index(index: Path) -> Iterator[Entry]:
    """The streams of an index, in its order."""
    for number, line in enumerate(read_file(index).split(b"\n"), start=1):
        if not line.strip():
            continue
        place = f"{index}:{number}"
        try:
            yield judged(_row(index.parent, json.loads(line), place))
        except KeyError as error:
            yield CorpusProblem(place=place, reason=f"has no {error}.")
        except (AttributeError, RecursionError, TypeError, ValueError) as error:
            yield CorpusProblem(place=place, reason=f"is not a usable row: {error}.")
        except OSError as error:
            yield CorpusProblem(place=place, reason=f"{error.filename} cannot be read: {error.strerror}.")


def _row(folder: Path, row: Any, place: str) -> CorpusStream:
    if not isinstance(row, dict):
        raise TypeError("it must be a JSON object")
    named, status = str(row["provider"]), row["status"]
    if not isinstance(status, int):
        raise TypeError("status must be a number")
    url = row.get("url")
    if url is not None and not isinstance(url, str):
        raise TypeError("url must be a text")
    file = (folder / str(row["file"])).resolve()
    if not file.is_relative_to(folder.resolve()):
        raise ValueError(f"{row['file']} lies outside the folder")
    response = Response(
        status=status,
        headers=(("content-type", str(row.get("content_type") or "text/event-stream")),),
        body=read_file(file),
    )
    uri = urldefrag(url).url if url else _made_up(provider_of("", named), response)
    request = row.get("request")
    interaction = Interaction(
        request=Request(
            method="POST",
            uri=uri,
            headers=(("content-type", "application/json"),),
            body=b"" if request is None else json.dumps(request, ensure_ascii=False).encode(),
        ),
        response=response,
    )
    named = named if url else provider_of("", named)
    return CorpusStream(
        id=str(row["id"]),
        place=place,
        interaction=interaction,
        provider=named,
        recorder="raw bodies",
    )


def _made_up(provider: str, response: Response) -> str:
    """Where the provider answers so, or what cannot be mistaken for an address."""
    protocol = read_facts(response).protocol
    if protocol == "embeddings" and b'"data"' not in response.body:
        protocol = GENERIC
    path = _PATHS.get(protocol)
    provider = re.sub(r"[^\w.-]+", "-", provider)
    if path:
        return f"https://{provider}.invalid{path}"
    return _URLS.get(provider, f"https://{provider}.invalid/v1{CHAT}")
