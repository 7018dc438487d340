"""A corpus of any size, made from streams that were recorded; nothing of it is kept in the repository.

    python -m benchmarks.many_streams SOURCE TARGET 20000

Each stream is one of SOURCE with an id of its own in every event, so that no two bodies are the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import click

from llm_contracts.corpus import CorpusStream, read_corpus

_FOLDER_SIZE = 1000  # files; more make some file systems slow


def make(source: Path, target: Path, count: int) -> int:
    """Write `count` streams made from those of `source`; how many bytes their bodies have together."""
    recorded = [entry for entry in read_corpus(source) if isinstance(entry, CorpusStream)]
    target.mkdir(parents=True)
    size = 0
    with (target / "index.jsonl").open("w", encoding="utf-8") as index:
        for number, stream in enumerate(islice(cycle(recorded), count)):
            name = f"{number // _FOLDER_SIZE:03}/{number:06}.sse"
            file = target / name
            file.parent.mkdir(exist_ok=True)
            response = stream.interaction.response
            body = b"".join(_renamed(response.body, number))
            file.write_bytes(body)
            size += len(body)
            index.write(json.dumps(_row(stream, number, name), ensure_ascii=False) + "\n")
    return size


def _renamed(body: bytes, number: int) -> Iterator[bytes]:
    """The body with a number after the id of each event; other lines as they are."""
    for line in body.splitlines(keepends=True):
        yield line.replace(b'"id":"', b'"id":"%06d-' % number, 1) if line.startswith(b"data:") else line


def _row(stream: CorpusStream, number: int, name: str) -> dict[str, object]:
    interaction = stream.interaction
    return {
        "id": f"{stream.provider}-{number:06}",
        "provider": stream.provider,
        "file": name,
        "status": interaction.response.status,
        "content_type": interaction.response.header("content-type") or None,
        "url": interaction.request.uri,
        "request": json.loads(interaction.request.body) if interaction.request.body else None,
    }


@click.command()
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@click.argument("count", type=click.IntRange(min=1))
def main(source: Path, target: Path, count: int) -> None:
    """Write COUNT streams to TARGET, made from those of SOURCE."""
    if target.exists():
        raise click.UsageError(f"{target} is there already.")
    size = make(source, target, count)
    click.echo(f"{target}: {count:,} streams, {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
