"""A result as JUnit XML: a suite for each provider, a test case for each scenario."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from xml.etree import ElementTree as ET

from junitparser import Error, Failure, JUnitXml, Properties, Property, Skipped, TestCase, TestSuite

from llm_contracts.parity.divergence import Divergence, Severity
from llm_contracts.parity.meanings import MEANINGS
from llm_contracts.parity.result import Item, Result
from llm_contracts.reporting.ci.about import RunContext
from llm_contracts.reporting.ci.values import cut, seen, sides, some
from llm_contracts.util.text import and_more

_LONGEST_VALUE = 4_000  # characters; the report has the rest
_LONGEST_MESSAGE = 300  # services show it in one line
_MOST = 50  # differences that one test case tells in full
_WAIVERS = "waivers"


def junit(result: Result, about: RunContext) -> str:
    """The document. A case fails for what makes `check` fail: differences that nobody has accepted, unless
    they are cosmetic, and a reference that differs from itself. A recording that cannot be read is an error,
    a missing one is skipped, and a fault in the waivers file is a case of its own.
    """
    document = JUnitXml(name="llm-contracts")
    for suite in _suites(result, about):
        document.add_testsuite(suite)
    document.update_statistics()  # type: ignore[no-untyped-call]  # half of junitparser has no types
    # Its own way to indent goes through a second kind of tree, which takes a minute for 20,000 cases.
    root = ET.fromstring(document.tostring())  # type: ignore[no-untyped-call]  # noqa: S314 - our own text
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return f"{text.decode()}\n"


def _suites(result: Result, about: RunContext) -> Iterator[TestSuite]:
    names = [item.provider for item in result.items] + [name.partition("/")[0] for name in result.missing]
    for provider in dict.fromkeys(names):
        cases = [_case(item) for item in result.items if item.provider == provider]
        cases += [_missing(name) for name in result.missing if name.partition("/")[0] == provider]
        yield _suite(provider, cases, _about(result, about) | _answer(result, provider), about)
    if result.complaints:
        yield _suite(_WAIVERS, [_complaint(text) for text in result.complaints], {}, about)


def _suite(name: str, cases: list[TestCase], facts: Mapping[str, str], about: RunContext) -> TestSuite:
    suite = TestSuite(seen(name))
    suite.timestamp = about.checked_at
    for key, value in facts.items():
        suite.add_property(key, seen(value))
    suite.add_testcases(cases)
    return suite


def _about(result: Result, about: RunContext) -> dict[str, str]:
    return {
        "reference": result.reference,
        "candidate": result.candidate,
        "engine": result.engine,
        "run": about.run,
        **{f"version.{name}": version for name, version in result.versions.items()},
        **({"outdated": some(about.outdated)} if about.outdated else {}),
    }


def _answer(result: Result, provider: str) -> dict[str, str]:
    verdict = result.verdicts.get(provider)
    if verdict is None:
        return {}
    reasons = {f"reason.{number}": reason for number, reason in enumerate(verdict.reasons, 1)}
    return {"verdict": str(verdict.answer), **reasons}


def _case(item: Item) -> TestCase:
    case = TestCase(name=seen(item.scenario), classname=seen(item.provider))
    facts = {"provenance": item.provenance or "unknown"}
    if item.recorded_on is not None:
        facts["recorded_on"] = item.recorded_on.isoformat()
    _add_properties(case, facts)
    outcome = _outcome(item)
    if outcome is not None:
        case.result = [outcome]
    said = "\n".join(_aside(item))
    if said:
        case.system_out = said
    return case


def _add_properties(case: TestCase, facts: Mapping[str, str]) -> None:
    properties = Properties()  # type: ignore[no-untyped-call]
    for name, value in facts.items():
        properties.add_property(Property(name, value))
    case.append(properties)  # type: ignore[no-untyped-call]


def _outcome(item: Item) -> Error | Failure | None:
    if item.problem is not None:
        error = Error(message=_message(item.problem), type_="unreadable")
        error.text = seen(item.problem)
        return error
    open_ones = [d for d in item.unwaived if d.severity is not Severity.COSMETIC]
    noise = [d for d in item.noise if d.severity is not Severity.COSMETIC]
    if not open_ones and not noise:
        return None
    ordered = sorted(open_ones, key=lambda d: list(Severity).index(d.severity))
    failure = Failure(
        message=_message("; ".join([*map(_title, ordered), *_noise_title(noise)])),
        type_=str(ordered[0].severity) if ordered else "noise",
    )
    failure.text = "\n\n".join([*_told(ordered), *_noise_title(noise), *_told(noise)])
    return failure


def _message(text: str) -> str:
    return cut(" ".join(seen(text).split()), _LONGEST_MESSAGE)


def _noise_title(noise: Iterable[Divergence]) -> list[str]:
    return ["the reference differs when it runs twice"] if noise else []


def _title(divergence: Divergence) -> str:
    return f"{divergence.severity} {divergence.kind} at {divergence.where}"


def _told(found: list[Divergence]) -> Iterator[str]:
    yield from (_one(divergence) for divergence in found[:_MOST])
    if rest := and_more(found, _MOST, "differences"):
        yield f"{rest}; the report has them all"


def _one(divergence: Divergence) -> str:
    lines = [seen(_title(divergence)), f"  {MEANINGS[divergence.kind].replace('`', '')}"]
    lines += [f"  {name:<9}  {value}" for name, value in sides(divergence, _LONGEST_VALUE)]
    return "\n".join([*lines, f"  {'id':<9}  {divergence.fingerprint}"])


def _aside(item: Item) -> Iterator[str]:
    """What does not fail the case, and yet is not hidden."""
    for divergence in item.divergences:
        reason = item.waived.get(divergence.fingerprint)
        if reason is not None:
            yield seen(f"accepted: {_title(divergence)}: {reason}")
        elif divergence.severity is Severity.COSMETIC:
            yield _one(divergence)


def _missing(name: str) -> TestCase:
    provider, _, scenario = name.partition("/")
    case = TestCase(name=seen(scenario), classname=seen(provider))
    case.result = [Skipped(message="There is no recording of this scenario.")]
    return case


def _complaint(text: str) -> TestCase:
    case = TestCase(name=_message(text), classname=_WAIVERS)
    failure = Failure(message=_message(text), type_="waivers")
    failure.text = seen(text)
    case.result = [failure]
    return case
