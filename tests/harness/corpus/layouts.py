"""One exchange in the layouts of many recorders, made up here after what their sources say."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from llm_contracts.wire.interaction import Interaction

Layout = Callable[[Interaction], tuple[str, bytes]]
"""An exchange to a file's name and content."""


def _request(interaction: Interaction) -> dict[str, Any]:
    request = interaction.request
    headers = {name: [value] for name, value in request.headers}
    return {
        "method": request.method,
        "uri": request.uri,
        "headers": headers,
        "body": _text(request.body),
    }


def _response(interaction: Interaction) -> dict[str, Any]:
    response = interaction.response
    return {
        "status": {"code": response.status, "message": response.reason},
        "headers": {name: [value] for name, value in response.headers},
        "body": {"string": _text(response.body)},
    }


def _text(body: bytes) -> str | bytes | None:
    """As vcrpy does it: text where that is possible."""
    try:
        return body.decode() if body else None
    except UnicodeDecodeError:
        return body


def _version_1(interaction: Interaction, **response: Any) -> dict[str, Any]:
    asked, got = _request(interaction), {**_response(interaction), **response}
    return {"interactions": [{"request": asked, "response": got}], "version": 1}


def _yaml(document: Any) -> bytes:
    return yaml.safe_dump(document).encode()


def vcrpy(interaction: Interaction) -> tuple[str, bytes]:
    return "a.yaml", _yaml(_version_1(interaction))


def vcrpy_binary(interaction: Interaction) -> tuple[str, bytes]:
    """Bytes, as `!!binary`, where Python 2 wrote whatever was not ASCII."""
    return "a.yml", _yaml(_version_1(interaction, body={"string": interaction.response.body}))


def vcrpy_bare_values(interaction: Interaction) -> tuple[str, bytes]:
    """Headers that are no lists, and no reason."""
    headers = dict(interaction.response.headers)
    status = {"code": interaction.response.status, "message": None}
    return "a.yaml", _yaml(_version_1(interaction, headers=headers, status=status))


def vcrpy_base64(interaction: Interaction) -> tuple[str, bytes]:
    packed = base64.encodebytes(interaction.response.body).decode()
    return "a.yaml", _yaml(_version_1(interaction, body={"base64_string": packed}))


def vcrpy_httpx(interaction: Interaction) -> tuple[str, bytes]:
    """The layout of vcrpy 2 to 5 for httpx."""
    response = interaction.response
    flat = {
        "content": _text(response.body) or "",
        "headers": {name: [value] for name, value in response.headers},
        "http_version": "HTTP/1.1",
        "status_code": response.status,
    }
    row = {"request": _request(interaction), "response": flat}
    return "a.yaml", _yaml({"interactions": [row], "version": 1})


def vcrpy_parts(interaction: Interaction) -> tuple[str, bytes]:
    """A request body that was an iterator, and one that was a file."""
    text = _yaml(_version_1(interaction)).decode()
    body = base64.b64encode(interaction.request.body).decode()
    document = yaml.safe_load(text)
    document["interactions"][0]["request"]["body"] = "BODY"
    tagged = (
        f"!!python/object/new:_io.BytesIO\n      state: !!python/tuple\n      - !!binary {body}\n      - 0"
    )
    return "a.yaml", _yaml(document).decode().replace("BODY", tagged).encode()


def as_json(interaction: Interaction) -> tuple[str, bytes]:
    return "a.json", json.dumps(_version_1(interaction)).encode()


def pydantic_ai(interaction: Interaction) -> tuple[str, bytes]:
    """JSON bodies as values beside the headers; event streams as plain vcrpy has them."""
    document = _version_1(interaction)
    request = document["interactions"][0]["request"]
    request["parsed_body"] = json.loads(request.pop("body"))
    return "a.yaml", _yaml(document)


def openllmetry(interaction: Interaction) -> tuple[str, bytes]:
    """Request bodies printed for people, and no escapes: YAML's own line breaks in texts do not survive."""
    document = _version_1(interaction)
    request = document["interactions"][0]["request"]
    request["body"] = json.dumps(json.loads(request["body"]), indent=2)
    return "a.yaml", yaml.safe_dump(document, allow_unicode=True, default_style="|").encode()


def langchain(interaction: Interaction) -> tuple[str, bytes]:
    """Two lists, packed."""
    document = {"requests": [_request(interaction)], "responses": [_response(interaction)]}
    return "a.yaml.gz", gzip.compress(_yaml(document))


def gzip_in_base64(interaction: Interaction) -> tuple[str, bytes]:
    name, content = vcrpy(interaction)
    return name, base64.b64encode(gzip.compress(content))


def cassetter(interaction: Interaction) -> tuple[str, bytes]:
    """Typed bodies; what is no text in hexadecimal."""
    row = {
        "request": {**_request(interaction), "body": {"type": "json", "content": _json(interaction)}},
        "response": {
            "status": interaction.response.status,
            "headers": {name: [value] for name, value in interaction.response.headers},
            "body": _typed(interaction.response.body),
        },
        "recorded_at": "2026-01-31T12:00:00Z",
    }
    return "a.yaml", _yaml({"version": 1, "interactions": [row]})


def cassetter_toml(interaction: Interaction) -> tuple[str, bytes]:
    request, response = interaction.request, interaction.response
    kind = _typed(response.body)
    lines = [
        "version = 1",
        "[[interactions]]",
        'recorded_at = "2026-01-31T12:00:00Z"',
        "[interactions.request]",
        f"method = {json.dumps(request.method)}",
        f"uri = {json.dumps(request.uri)}",
        'body_type = "json"',
        f"body_content = {json.dumps(request.body.decode())}",
        "[interactions.request.headers]",
        "[interactions.response]",
        f"status = {response.status}",
        f"body_type = {json.dumps(kind['type'])}",
        f"body_content = {_toml_text(kind['content'])}",
        "[interactions.response.headers]",
        *(f"{json.dumps(name)} = [{json.dumps(value)}]" for name, value in response.headers),
    ]
    return "a.toml", "\n".join(lines).encode()


def _toml_text(text: str) -> str:
    """TOML takes JSON's strings, but for surrogates and the character that ASCII ends with."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _json(interaction: Interaction) -> Any:
    return json.loads(interaction.request.body)


def _typed(body: bytes) -> dict[str, Any]:
    text = _text(body)
    if isinstance(text, str):
        return {"type": "text", "content": text}
    return {"type": "binary", "content": body.hex()}


LAYOUTS: Mapping[str, Layout] = {
    layout.__name__: layout
    for layout in (
        vcrpy,
        vcrpy_binary,
        vcrpy_bare_values,
        vcrpy_base64,
        vcrpy_httpx,
        vcrpy_parts,
        pydantic_ai,
        openllmetry,
        langchain,
        gzip_in_base64,
        cassetter,
        cassetter_toml,
        as_json,
    )
}
