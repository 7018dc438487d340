"""Streams that others recorded: a folder of raw bodies with an index, or VCR cassettes below a folder.

Nothing is left out in silence: whatever cannot be used comes out as a `CorpusProblem` that names its place.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urlsplit

from llm_contracts.wire.cassette import CassetteError, load
from llm_contracts.wire.content import decoded
from llm_contracts.wire.interaction import Interaction, Request, Response

_INDEX = "index.jsonl"
_CHAT = "/chat/completions"
_HOSTS: Mapping[str, str] = {
    "api.deepseek.com": "deepseek",
    "api.openai.com": "openai",
    "dashscope-intl.aliyuncs.com": "qwen",
    "dashscope.aliyuncs.com": "qwen",
}
_URLS: Mapping[str, str] = {
    "deepseek": "https://api.deepseek.com/chat/completions",
    "openai": "https://api.openai.com/v1/chat/completions",
    "qwen": "https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class CorpusStream:
    """One recorded chat completion. `id` is unique in the corpus."""

    id: str
    provider: str
    interaction: Interaction


@dataclass(frozen=True, kw_only=True, slots=True)
class CorpusProblem:
    """Something in the corpus that cannot be used. `place` is a file, with the line where there is one."""

    place: str
    reason: str


Entry = CorpusStream | CorpusProblem


def read_corpus(folder: Path) -> Iterator[Entry]:
    """All streams of a folder, in the order of its index, or of its files' names."""
    index = folder / _INDEX
    if index.is_file():
        yield from _unique(_indexed(folder, index))
        return
    cassettes = sorted(path for path in folder.rglob("*.y*ml") if path.suffix in {".yaml", ".yml"})
    if not cassettes:
        yield CorpusProblem(
            place=str(folder), reason=f"holds neither {_INDEX} nor VCR cassettes. Check the name."
        )
    for path in cassettes:
        yield from _recorded(folder, path)


def _unique(entries: Iterator[Entry]) -> Iterator[Entry]:
    seen: set[str] = set()
    for entry in entries:
        if isinstance(entry, CorpusStream) and entry.id in seen:
            yield CorpusProblem(
                place=entry.id, reason=f"occurs twice in {_INDEX}. Give each stream an id of its own."
            )
            continue
        if isinstance(entry, CorpusStream):
            seen.add(entry.id)
        yield entry


def _indexed(folder: Path, index: Path) -> Iterator[Entry]:
    for number, line in enumerate(index.read_bytes().split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            yield _row(folder, json.loads(line))
        except KeyError as error:
            yield CorpusProblem(place=f"{index}:{number}", reason=f"has no {error}.")
        except (ValueError, TypeError) as error:
            yield CorpusProblem(place=f"{index}:{number}", reason=f"is not a usable row: {error}.")
        except OSError as error:
            yield CorpusProblem(
                place=f"{index}:{number}", reason=f"{error.filename} cannot be read: {error.strerror}."
            )


def _row(folder: Path, row: Any) -> CorpusStream:
    if not isinstance(row, dict):
        raise TypeError("it must be a JSON object")
    identity, named, status = str(row["id"]), str(row["provider"]), row["status"]
    if not isinstance(status, int):
        raise TypeError("status must be a number")
    url = row.get("url")
    provider = _provider(named, url)
    request = row.get("request")
    interaction = Interaction(
        request=Request(
            method="POST",
            uri=urldefrag(url).url if url else _URLS.get(provider, f"https://{named}.invalid/v1{_CHAT}"),
            headers=(("content-type", "application/json"),),
            body=b"" if request is None else json.dumps(request, ensure_ascii=False).encode(),
        ),
        response=Response(
            status=status,
            headers=(("content-type", str(row.get("content_type") or "text/event-stream")),),
            body=_inside(folder, str(row["file"])).read_bytes(),
        ),
    )
    return CorpusStream(id=identity, provider=provider, interaction=interaction)


def _inside(folder: Path, name: str) -> Path:
    """The file of that name; an index must not reach out of its folder."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ValueError(f"{name} lies outside the folder")
    return path


def _provider(named: str, url: str | None) -> str:
    host = urlsplit(url).hostname if url else None
    return _HOSTS.get(host or named, named)


def _recorded(folder: Path, path: Path) -> Iterator[Entry]:
    try:
        interactions = load(path).interactions
    except CassetteError as error:
        yield CorpusProblem(
            place=f"{path}: {error.place}" if error.place else str(path), reason=error.problem
        )
        return
    name = path.relative_to(folder).with_suffix("").as_posix()
    for number, interaction in enumerate(interactions):
        place = f"{name}#{number}" if len(interactions) > 1 else name
        parts = urlsplit(interaction.request.uri)
        if not parts.path.endswith(_CHAT):
            asked = f"{interaction.request.method} {parts.path or '/'}"
            yield CorpusProblem(
                place=f"{path}: interactions[{number}]", reason=f"is no chat completion ({asked})."
            )
            continue
        provider = _provider(parts.hostname or "unknown", interaction.request.uri)
        whole = Interaction(request=interaction.request, response=decoded(interaction.response))
        yield CorpusStream(id=place, provider=provider, interaction=whole)
