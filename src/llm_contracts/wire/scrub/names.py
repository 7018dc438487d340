"""Where credentials stand by convention: the names of headers, of query and form fields, of JSON members."""

from __future__ import annotations

import re

SCRUBBED = "scrubbed"
"""What stands for a header value or a query value that was removed because of its name."""

# The names of such headers end alike, whoever made them up: `x-vault-token`, `proxy-authorization`.
_CREDENTIAL_HEADER = re.compile(
    "api-?key|authorization|(?:set-)?cookie"
    "|.*-(?:token|secret|password|api-?key|(?:access|private|subscription)-key|authorization|auth|jwt|assertion"
    "|credentials?|session(?:-id)?|signature|cookie)",
    re.DOTALL,
)
_IDENTITY_HEADER = re.compile(
    "cf-ray|eagleeye-traceid|openai-project|trace(?:parent|state)|x-amz-(?:cf-id|id-2)|x-b3-traceid"
    "|x-cloud-trace-context|x-goog-user-project|x-tt-trace-tag"
    "|.*(?:request-?id|trace-id|log-?id|correlation-id|organization(?:-id)?|(?:project|account|workspace)-id)",
    re.DOTALL,
)

_FIELDS = (
    "access_token|api[_-]?key|app_?key|auth|auth_token|client_assertion|client_id|client_secret|code_verifier"
    "|id_token|key|password|refresh_token|secret|secret_key|security_token|sig|sign|signature|token"
    "|X-Amz-Credential|X-Amz-Security-Token|X-Amz-Signature|X-Credential|X-Goog-Credential|X-Goog-Signature"
    "|X-Security-Token|X-Signature"
)
_QUERY = re.compile(rf"([?&](?:{_FIELDS})=)([^&#]*)", re.IGNORECASE)
_FORM = re.compile(rf"((?:^|(?<=&))(?:{_FIELDS})=)([^&]*)".encode(), re.IGNORECASE)
# `key`, `token`, `code` and `client_id` are left out: as members of JSON they are ordinary words.
_CREDENTIAL_MEMBERS = (
    "access_?token|api_?key|auth_?token|authorization|client_?secret|id_?token|password|refresh_?token"
    "|secret_?(?:access_?)?key|security_?token|session_?key|session_?secret|session_?token|x-api-key"
)
# Beside them in a request: what an answer calls a token may be a word.
_SENT_MEMBERS = "access_?key(?:_?id)?|credential|passphrase|private_?key|secret|signature|token"
_IDENTITY_MEMBERS = "org_?id|organi[sz]ation_?id|request_?id|trace_?id|log_?id"
_TEXT = r'(?:[^"\\]|\\.)*+'


def _member(names: str) -> re.Pattern[bytes]:
    return re.compile(rf'("(?:{names})"\s{{0,8}}:\s{{0,8}}")({_TEXT})(?=")'.encode(), re.IGNORECASE)


_CREDENTIAL_MEMBER = _member(_CREDENTIAL_MEMBERS)
_SENT_MEMBER = _member(f"{_CREDENTIAL_MEMBERS}|{_SENT_MEMBERS}")
_MEMBER = _member(f"{_CREDENTIAL_MEMBERS}|{_IDENTITY_MEMBERS}")


def is_private_header(name: str) -> bool:
    """Whether a header's value opens something or tells whose request it was. `name` is lower case."""
    return is_credential_header(name) or _IDENTITY_HEADER.fullmatch(name) is not None


def is_credential_header(name: str) -> bool:
    """Whether a header's value opens something, by its name, which is lower case."""
    return _CREDENTIAL_HEADER.fullmatch(name) is not None


def scrub_query(uri: str) -> str:
    """The URI without the values of query fields that hold credentials."""
    return _QUERY.sub(rf"\1{SCRUBBED}", uri)


def masked_fields(body: bytes, content_type: str) -> bytes:
    """The body with the values of credentials, organisations and requests masked by their names."""
    pattern = _FORM if is_form(content_type) else _MEMBER
    return pattern.sub(lambda match: match[1] + b"*" * len(match[2]), body)


def query_credentials(uri: str) -> list[str]:
    """The values, as they stand, of query fields that hold credentials."""
    return [match[2] for match in _QUERY.finditer(uri)]


def body_credentials(body: bytes, content_type: str, *, sent: bool = False) -> list[bytes]:
    """The values, as they stand, of a form's fields or of JSON members that hold credentials; more names are
    taken for theirs in what was sent.
    """
    members = _SENT_MEMBER if sent else _CREDENTIAL_MEMBER
    pattern = _FORM if is_form(content_type) else members
    return [match[2] for match in pattern.finditer(body)]


def is_form(content_type: str) -> bool:
    """Whether a body of this type is a form written like a query."""
    return content_type.lower().startswith("application/x-www-form-urlencoded")
