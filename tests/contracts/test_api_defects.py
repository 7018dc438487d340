"""Faults in clients of other APIs are reported as what they are, and harmless clients are not reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import pytest

from llm_contracts import Client, Item
from llm_contracts.clients import builtin
from llm_contracts.parity.divergence import Severity
from llm_contracts.run.engines import Engine, EngineName, opened
from llm_contracts.run.pairing import Pairing, Side
from tests.contracts.defects.handmade_apis import (
    COMPLETIONS,
    GENERIC,
    HANDMADE_DEFECTS,
    HARMLESS_OF_GENERIC,
    MODELS,
)
from tests.contracts.defects.harmless import CONVERSIONS, as_namespace
from tests.contracts.defects.other_apis import (
    API_DEFECTS,
    EMBEDDINGS,
    GEMINI,
    MESSAGES,
    RESPONSES,
    Api,
    ApiDefect,
    Fault,
    as_base64,
    faulty,
    harmless_of,
)
from tests.contracts.defects.proof import unlike

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        find_spec("anthropic") is None, reason="needs Anthropic's SDK"
    ),  # imported by its client
]
APIS = {
    "responses": RESPONSES,
    "messages": MESSAGES,
    "gemini": GEMINI,
    "embeddings": EMBEDDINGS,
    "completions": COMPLETIONS,
}
_AGAIN = ("fields", "order", "chunk_count", "deltas", "surface", "usage_details", "unfaithful")
"""Kinds that say of a fault what another has said, in the SDK's own fields."""


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with opened(EngineName.WIRE, lockstep=False) as found:  # no fault here delays anything
        yield found


def compared(engine: Engine, api: Api, script: str, candidate: Client) -> Item:
    sides = (
        Side(name="reference", client=builtin.BUILTIN[api.client]),
        Side(name="candidate", client=candidate),
    )
    match = Pairing(reference=sides[0], candidate=sides[1], engine=engine, timeout=30)
    blank = Item(id=f"{api.dialect}/{script}", provider=api.dialect, scenario=script)
    return match.run(blank, (api.played(script),), api.call())


@pytest.mark.parametrize("defect", [*API_DEFECTS, *HANDMADE_DEFECTS], ids=lambda defect: defect.name)
def test_a_fault_is_reported_as_what_it_is(defect: ApiDefect, engine: Engine) -> None:
    item = compared(engine, defect.api, defect.script, defect.client())
    assert item.problem is None
    missing = [one for one in unlike(item, ((defect.kind, defect.where),)) if one.startswith("not reported")]
    assert missing == []
    others = {str(one.kind) for one in item.divergences if one.kind is not defect.kind}
    assert others <= set(_AGAIN)


@pytest.mark.parametrize("script", ["reasoning", "parallel-tool-calls", "content-filter", "mid-stream-error"])
@pytest.mark.parametrize("api", [RESPONSES, MESSAGES, GEMINI], ids=["responses", "messages", "gemini"])
def test_without_a_fault_nothing_is_reported(api: Api, script: str, engine: Engine) -> None:
    item = compared(engine, api, script, _again(api))
    assert (item.problem, item.divergences, item.noise) == (None, (), ())


@pytest.mark.parametrize(
    ("api", "script"),
    [
        (EMBEDDINGS, "plain-stream"),
        *((api, name) for api in (COMPLETIONS, MODELS, GENERIC) for name in api.answers),
    ],
    ids=lambda given: given if isinstance(given, str) else given.dialect,
)
def test_nothing_is_reported_of_another_api_without_a_fault(api: Api, script: str, engine: Engine) -> None:
    item = compared(engine, api, script, _again(api))
    assert (item.problem, item.divergences, item.noise) == (None, (), ())


@pytest.mark.parametrize("form", HARMLESS_OF_GENERIC, ids=lambda form: form.__name__)
def test_what_nobody_has_described_may_come_in_another_form(form: Fault, engine: Engine) -> None:
    item = compared(engine, GENERIC, "plain-stream", faulty(GENERIC, form))
    assert item.problem is None
    assert [one for one in item.divergences if one.severity is not Severity.COSMETIC] == []


def _again(api: Api) -> Client:
    return harmless_of(api, lambda item: item)


FORMS = [
    pytest.param(api, convert, id=f"{name}-{convert.__name__}")
    for name, api in APIS.items()
    for convert in (*CONVERSIONS, as_base64)
    # Anthropic's messages have a method, and Google's answers have properties, that a namespace lacks.
    if not (name in {"messages", "gemini"} and convert is as_namespace)
]


@pytest.mark.parametrize(("api", "convert"), FORMS)
def test_another_form_of_the_same_is_no_alarm(
    api: Api, convert: Callable[[Any], Any], engine: Engine
) -> None:
    script = "plain-stream" if api in (EMBEDDINGS, COMPLETIONS) else "parallel-tool-calls"
    item = compared(engine, api, script, harmless_of(api, convert))
    assert item.problem is None
    assert [one for one in item.divergences if one.severity is not Severity.COSMETIC] == []
