"""Signatures of Volcengine's management API: HMAC-SHA256 over a request put into one canonical form.

The steps are those of volcengine.com/docs/6369/67269 and nearly those of AWS's version 4: a hash of the
request, a text around it, and a key derived from the secret for one day, region and service. The secret
itself never leaves the process; a signature is good for one request and some minutes.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlsplit

_ALGORITHM = "HMAC-SHA256"
_END = "request"


@dataclass(frozen=True, kw_only=True, slots=True)
class Signer:
    """Who signs, and for what: a signature for one region and service is refused by all others."""

    key_id: str = field(repr=False)
    secret: str = field(repr=False)
    region: str
    service: str

    def headers(self, method: str, url: str, body: bytes, at: datetime) -> dict[str, str]:
        """The headers that make a request count as signed. `Host` is signed as the URL has it.

        Args:
            method: the HTTP method, in capitals.
            url: the whole address, with its query.
            body: the body as it will be sent, byte by byte.
            at: now, with a time zone; the provider refuses clocks that are 15 minutes off.
        """
        date = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        signed = {"host": urlsplit(url).netloc, "x-content-sha256": _hex(body), "x-date": date}
        scope = f"{date[:8]}/{self.region}/{self.service}/{_END}"
        text = text_to_sign(canonical_request(method, url, signed, body), date=date, scope=scope)
        credential = f"Credential={self.key_id}/{scope}"
        names = f"SignedHeaders={';'.join(sorted(signed))}"
        return {
            "X-Date": date,
            "X-Content-Sha256": signed["x-content-sha256"],
            "Authorization": f"{_ALGORITHM} {credential}, {names}, Signature={self._signature(date, text)}",
        }

    def _signature(self, date: str, text: str) -> str:
        key = self.secret.encode()
        for part in (date[:8], self.region, self.service, _END):
            key = _hmac(key, part)
        return signature(key, text)


def canonical_request(method: str, url: str, headers: Mapping[str, str], body: bytes) -> str:
    """The one text that all spellings of a request have; `headers` are those to sign, in lower case."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    pairs = sorted((_quoted(name), _quoted(value)) for name, value in query)
    lines = (
        method,
        parts.path or "/",
        "&".join(f"{name}={value}" for name, value in pairs),
        *(f"{name}:{headers[name].strip()}" for name in sorted(headers)),
        "",
        ";".join(sorted(headers)),
        _hex(body),
    )
    return "\n".join(lines)


def text_to_sign(canonical: str, *, date: str, scope: str) -> str:
    """What is signed: which method, when, for what, and the hash of the canonical request."""
    return "\n".join((_ALGORITHM, date, scope, _hex(canonical.encode())))


def signature(key: bytes, text: str) -> str:
    """The signature of a text with a derived key, in hexadecimal digits."""
    return _hmac(key, text).hex()


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


def _hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _quoted(text: str) -> str:
    return quote(text, safe="-_.~")
