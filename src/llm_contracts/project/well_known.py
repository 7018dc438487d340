"""Providers that need no row: where their APIs begin, and the variables by which the usual SDKs find them.

Source: the SDKs' own code. `OPENAI_BASE_URL` is read by openai for Python and Node, `OPENAI_API_BASE` by
openai before 1.0 and by LiteLLM, `ANTHROPIC_BASE_URL` by anthropic, `GOOGLE_GEMINI_BASE_URL` by google-genai,
`AZURE_OPENAI_ENDPOINT` by openai's Azure clients.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from llm_contracts.project.scenario import Provider

WELL_KNOWN = {
    name: Provider(name=name, base_url=base_url, key_variable=key, base_url_variable=variable)
    for name, base_url, key, variable in (
        ("openai", "https://api.openai.com/v1", "OPENAI_API_KEY", "OPENAI_BASE_URL"),
        ("anthropic", "https://api.anthropic.com", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"),
        ("gemini", "https://generativelanguage.googleapis.com", "GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL"),
        ("deepseek", "https://api.deepseek.com", "DEEPSEEK_API_KEY", None),
        ("qwen", "https://dashscope.aliyuncs.com/compatible-mode/v1", "DASHSCOPE_API_KEY", None),
    )
}

FURTHER_VARIABLES: Mapping[str, tuple[str, ...]] = {"openai": ("OPENAI_API_BASE",)}
"""Other variables by which SDKs find the same provider."""

AZURE = "AZURE_OPENAI_ENDPOINT"
"""Names a resource of its own for each customer, so there is no base URL to know."""


def known_at(url: str) -> Provider | None:
    """The well-known provider that answers at the host of this URL."""
    host = urlsplit(url).hostname
    return next((row for row in WELL_KNOWN.values() if urlsplit(row.base_url).hostname == host), None)


def provider_at(base_url: str) -> Provider:
    """The row of the provider at this base URL: a well-known one, or one made from its host's name."""
    host = urlsplit(base_url).hostname or "unknown"
    name = re.sub(r"[^a-z0-9]+", "-", host.lower()).strip("-") or "unknown"
    return known_at(base_url) or unlisted(name, base_url)


def unlisted(name: str, base_url: str) -> Provider:
    """A row for a provider that no list has; its key's variable is named after it."""
    variable = f"{re.sub('[^A-Z0-9]', '_', name.upper())}_API_KEY"
    return Provider(name=name, base_url=base_url.rstrip("/"), key_variable=variable)
