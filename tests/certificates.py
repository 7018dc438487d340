"""Certificates of every kind that a server on 127.0.0.1 may show, right and wrong."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import trustme

HOST = "127.0.0.1"
_NOW = datetime.now(UTC)
_DAY = timedelta(days=1)


def _with_its_chain(by: trustme.CA, *names: str, **more: object) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    by.issue_cert(*names, **more).configure_cert(context)  # type: ignore[arg-type] # dates and names
    return context


def _without_its_chain(by: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued = by.create_child_ca().issue_cert(HOST)
    with issued.cert_chain_pems[0].tempfile() as first, issued.private_key_pem.tempfile() as key:
        context.load_cert_chain(first, key)
    return context


def _signed_by_itself() -> ssl.SSLContext:
    context, itself = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), trustme.CA()
    with itself.cert_pem.tempfile() as certificate, itself.private_key_pem.tempfile() as key:
        context.load_cert_chain(certificate, key)
    return context


RIGHT: dict[str, Callable[[trustme.CA], ssl.SSLContext]] = {
    "right": lambda by: _with_its_chain(by, HOST),
    "right, of an authority below it": lambda by: _with_its_chain(by.create_child_ca(), HOST),
}
WRONG: dict[str, Callable[[trustme.CA], ssl.SSLContext]] = {
    "of another host": lambda by: _with_its_chain(by, "other.example"),
    "of another address": lambda by: _with_its_chain(by, "127.0.0.2"),
    "of any host of another domain": lambda by: _with_its_chain(by, "*.example"),
    "with the host in its old place": lambda by: _with_its_chain(by, "other.example", common_name=HOST),
    "expired": lambda by: _with_its_chain(by, HOST, not_before=_NOW - 9 * _DAY, not_after=_NOW - _DAY),
    "not valid yet": lambda by: _with_its_chain(by, HOST, not_before=_NOW + _DAY, not_after=_NOW + 9 * _DAY),
    "of an unknown authority": lambda _by: _with_its_chain(trustme.CA(), HOST),
    "signed by itself": lambda _by: _signed_by_itself(),
    "without the authority between": _without_its_chain,
}
