"""A request as a provider reads it: who asks, for which model, in which mode."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llm_contracts.simulator.texts import tokens_in
from llm_contracts.util.json_values import as_mapping


@dataclass(frozen=True, kw_only=True, slots=True)
class ParsedRequest:
    """What a request says. `body` is None where it should have been a JSON object and was not."""

    path: str
    key: str | None
    body: Mapping[str, Any] | None = field(default_factory=dict)

    @property
    def model(self) -> str:
        """The model asked for."""
        return str(self._get("model", ""))

    @property
    def streamed(self) -> bool:
        """Whether a stream is asked for."""
        return self._get("stream", None) is True

    @property
    def include_usage(self) -> bool:
        """Whether token totals are asked for in the stream."""
        return as_mapping(self._get("stream_options", None)).get("include_usage") is True

    @property
    def obfuscated(self) -> bool:
        """Whether padding against traffic analysis is left on."""
        return as_mapping(self._get("stream_options", None)).get("include_obfuscation") is not False

    @property
    def json_mode(self) -> bool:
        """Whether the answer must be JSON: any object, or one of a schema."""
        return self._format in ("json_object", "json_schema")

    @property
    def says_json(self) -> bool:
        """Whether the conversation has the word without which JSON of no schema is refused."""
        return (
            self._format == "json_schema"
            or "json" in json.dumps(self._get("messages", []), ensure_ascii=False).lower()
        )

    @property
    def thinking(self) -> bool | None:
        """Whether thinking is switched on or off: Qwen's `enable_thinking`, DeepSeek's `thinking`."""
        switch = self._get("thinking", None)
        if isinstance(switch, Mapping):
            return switch.get("type") == "enabled"
        flag = self._get("enable_thinking", None)
        return flag if isinstance(flag, bool) else None

    @property
    def limit(self) -> int | None:
        """The greatest number of tokens the answer may have."""
        limit = self._get("max_completion_tokens", None) or self._get("max_tokens", None)
        return limit if isinstance(limit, int) else None

    @property
    def prompt_tokens(self) -> int:
        """How many tokens the conversation has, by the simulator's own count."""
        return 3 + sum(
            4 + tokens_in(str(message.get("content", ""))) for message in self._get("messages", [])
        )

    @property
    def _format(self) -> Any:
        return as_mapping(self._get("response_format", None)).get("type")

    def out_of_range(self, greatest: Mapping[str, float]) -> tuple[str, Any] | None:
        """The first parameter above its greatest value (or below 0), with its value."""
        for name, limit in greatest.items():
            value = self._get(name, None)
            if isinstance(value, int | float) and not 0 <= value <= limit:
                return name, value
        return None

    def _get(self, name: str, default: Any) -> Any:
        return (self.body or {}).get(name, default)


def bearer_key(headers: Mapping[str, str]) -> str | None:
    """The key where most providers expect it, as a bearer's token."""
    return headers.get("Authorization", "").removeprefix("Bearer ").strip() or None
