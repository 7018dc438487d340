"""HAR files, as browsers and proxies save them. The only module that names haralyzer.

A HAR file keeps bodies unpacked: text as text, the rest in base64; headers and sizes may be those of the
packed body. It holds no pieces and no pauses. What browsers leave out (event streams, mostly) is said.

haralyzer's pages are not used: they leave out entries that refer to a page which the file does not have.
"""

from __future__ import annotations

import base64
import errno
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_contracts.corpus.entries import CorpusProblem, CorpusStream, Entry, ProblemKind, UnreadableError
from llm_contracts.corpus.judge import judged, read_each, require_call
from llm_contracts.util.files import read_file
from llm_contracts.wire.interaction import Headers, Interaction, Request, Response

if TYPE_CHECKING:
    from haralyzer.assets import HarEntry

_FIRST_FAILURE = 400
_PACKING = frozenset({"content-encoding", "content-length", "transfer-encoding"})


def is_har(document: object) -> bool:
    """Whether a document has the shape of a HAR file."""
    return isinstance(document, dict) and isinstance(document.get("log"), dict)


def read_har(document: Any, folder: Path) -> Iterator[Entry]:
    """The exchanges of a HAR file; see `read_each`.

    Args:
        document: the whole file.
        folder: where the file is: Playwright can keep bodies in files beside it.

    Raises:
        UnreadableError: the document as a whole cannot be read.
    """
    from haralyzer import HarEntry, HarParser

    log = HarParser(document).har_data
    entries = log.get("entries")
    if not isinstance(entries, list):
        raise UnreadableError("log.entries", "must be a list; the file may be cut.")
    if not entries:
        raise UnreadableError("log.entries", "holds no exchanges.", ProblemKind.NOT_A_RECORDING)
    creator = log.get("creator")
    parts = (creator.get("name"), creator.get("version")) if isinstance(creator, dict) else ()
    recorder = " ".join(str(part) for part in parts if part) or "HAR"

    def read(row: Any, place: str, name: str) -> Entry:
        try:
            return _exchange(HarEntry(row), folder, place, name, recorder)
        except KeyError as error:
            raise UnreadableError(place, f"has no {error}; the file may be cut.") from error
        except (TypeError, AttributeError) as error:
            raise UnreadableError(place, f"is not a usable entry ({error}).") from error

    return read_each([(f"log.entries[{number}]", row) for number, row in enumerate(entries)], read)


def _exchange(entry: HarEntry, folder: Path, place: str, name: str, recorder: str) -> Entry:
    asked = Request(method=str(entry.request.method).upper(), uri=str(entry.request.url))
    require_call(asked, place)
    got = entry.response
    if got.status == 101 or "_webSocketMessages" in entry:  # noqa: PLR2004 - Switching Protocols
        raise UnreadableError(place, "is a WebSocket, not an HTTP exchange.", ProblemKind.NOT_HTTP)
    if type(got.status) is not int:
        raise UnreadableError(place, f"its status must be a number, not {got.status!r}.")
    body, fault = _content(entry, folder)
    headers = tuple(line for line in _headers(got.headers) if line[0].lower() not in _PACKING)
    kind = got["content"].get("mimeType")
    if kind and not any(name.lower() == "content-type" for name, _ in headers):  # they were left out
        headers = (*headers, ("content-type", str(kind)))
    response = Response(
        status=got.status, reason=str(got.get("statusText") or ""), headers=headers, body=body
    )
    posted, packed = entry.request.text, "_textBase64" in entry.request.get("postData", ())
    sent = b"" if posted is None else base64.b64decode(posted) if packed else _encoded(posted)
    request = replace(asked, headers=_headers(entry.request.headers), body=sent)
    interaction = Interaction(request=request, response=response)
    moment = _moment(entry)
    stream = CorpusStream(
        id=name, place=place, interaction=interaction, recorder=recorder, recorded_at=moment
    )
    return judged(stream, fault=fault, exact=False)


def _headers(rows: Any) -> Headers:
    """Without the pseudo headers of HTTP/2, which Chrome lists among the others."""
    pairs = ((str(row["name"]), str(row["value"])) for row in rows)
    return tuple(pair for pair in pairs if not pair[0].startswith(":"))


def _encoded(text: Any) -> bytes:
    if not isinstance(text, str):
        raise TypeError(f"a body must be text, not {type(text).__name__}")
    return text.encode("utf-8")


def _content(entry: HarEntry, folder: Path) -> tuple[bytes, CorpusProblem | None]:
    """The body, or what is wrong with it."""
    content = entry.response["content"]
    size = content.get("size")
    try:
        body = _stored_body(content, folder)
    except ValueError as error:
        reason = f"its body cannot be read as {content.get('encoding') or 'text'} ({error})."
        return b"", CorpusProblem(why=ProblemKind.UNKNOWN_ENCODING, reason=reason)
    except LookupError:
        reason = f"its body has the unknown encoding {content.get('encoding')!r}."
        return b"", CorpusProblem(why=ProblemKind.UNKNOWN_ENCODING, reason=reason)
    except OSError as error:
        reason = f"its body {content['_file']} cannot be read ({error.strerror})."
        return b"", CorpusProblem(why=ProblemKind.NO_BODY, reason=reason)
    if body is None:
        refused = entry.response.status >= _FIRST_FAILURE and not size
        return b"", None if refused else _without_body(entry)
    if isinstance(size, int) and len(body) < size:
        reason = f"its body has {len(body)} of {size} bytes: the rest was not kept."
        return body, CorpusProblem(why=ProblemKind.TRUNCATED, reason=reason)
    return body, None


def _stored_body(content: Any, folder: Path) -> bytes | None:
    if "_file" in content:
        path = (folder / str(content["_file"])).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise OSError(errno.EACCES, "it lies outside the folder of the HAR file")
        return read_file(path)
    text = content.get("text")
    encoding = content.get("encoding")
    if text is None or (text == "" and content.get("size")):
        return None
    if not encoding:
        return _encoded(text)
    if str(encoding).lower() != "base64":
        raise LookupError(encoding)
    return base64.b64decode("".join(str(text).split()), validate=True)


def _without_body(entry: HarEntry) -> CorpusProblem | None:
    """Nothing was sent, or nothing was kept: the recorder's own words, if it has any."""
    response = entry.response
    failure = entry.get("_error") or response.get("_error")
    if response.status == 0:
        why = f" ({failure})" if failure else ""
        reason = f"got no answer: the request was blocked, failed or given up{why}."
    elif comment := response["content"].get("comment"):
        reason = f"its body was not kept ({comment})."
    elif "_eventSourceMessages" in entry or "_eventSourceMessages" in response:
        reason = "its body was not kept, only the messages read from it, which are not the bytes."
    else:
        reason = "its body was not kept, as browsers do with event streams. A proxy keeps it (mitmproxy)."
    return CorpusProblem(why=ProblemKind.NO_BODY, reason=reason)


def _moment(entry: HarEntry) -> datetime | None:
    with suppress(TypeError, ValueError, OverflowError):
        started = entry.startTime
        if isinstance(started, datetime):
            return started.replace(tzinfo=UTC) if started.tzinfo is None else started.astimezone(UTC)
    return None
