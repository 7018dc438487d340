"""What an application can name on the objects of a client."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from llm_contracts.clients.surface import shapes, shared_names


class Delta(BaseModel):
    """As LiteLLM's: no field is declared but those that are its own."""

    model_config = ConfigDict(extra="allow")
    provider: str | None = None


class Choice(BaseModel):
    model_config = ConfigDict(extra="allow")


class Chunk(BaseModel):
    choices: list[Choice]


def test_fields_that_a_model_holds_without_declaring_them_can_be_named() -> None:
    chunk = Chunk(
        choices=[Choice.model_validate({"index": 0, "delta": Delta.model_validate({"content": ""})})]
    )
    names = shared_names(dict.fromkeys(shapes(chunk)))
    assert names == {"chunk": ("choices",), "choice": ("delta", "index"), "delta": ("content", "provider")}
