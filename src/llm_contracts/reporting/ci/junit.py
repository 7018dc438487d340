"""A result as JUnit XML: a suite for each provider, a test case for each scenario.

The document follows the schema of Jenkins' xunit plugin (`junit-10.xsd`): properties belong to suites
only, so what is known about a recording stands in the `system-out` of its case.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from xml.etree import ElementTree as ET

from llm_contracts.parity.divergence import Divergence, Severity
from llm_contracts.parity.meanings import plain_meaning
from llm_contracts.parity.result import Item, Result
from llm_contracts.reporting.ci.text import cut, cut_sides, without_hidden
from llm_contracts.reporting.run_context import RunContext
from llm_contracts.util.text import and_more, first_names

_LONGEST_VALUE = 4_000  # characters; the report has the rest
_LONGEST_MESSAGE = 300  # services show it in one line
_MOST = 50  # differences that one test case describes in full
_WAIVERS = "waivers"


def junit(result: Result, about: RunContext) -> str:
    """The document. A case fails for what makes `check` fail: differences that nobody has accepted, unless
    they are cosmetic, and a reference that differs from itself. A recording that cannot be read is an error,
    a missing one is skipped, and a fault in the waivers file is a case of its own.
    """
    root = ET.Element("testsuites", name="llm-contracts")
    root.extend(_suites(result, about))
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.attrib[name]) for suite in root)))
    ET.indent(root)
    return f"{ET.tostring(root, encoding='utf-8', xml_declaration=True).decode()}\n"


def _suites(result: Result, about: RunContext) -> Iterator[ET.Element]:
    facts = {
        "reference": result.reference,
        "candidate": result.candidate,
        "engine": result.engine,
        "run": about.run,
        **{f"version.{name}": version for name, version in result.versions.items()},
        **({"outdated": first_names(about.outdated, 3)} if about.outdated else {}),
    }
    cases: dict[str, list[ET.Element]] = {}
    for item in result.items:
        cases.setdefault(item.provider, []).append(_case(item))
    for name in result.missing:
        provider, _, scenario = name.partition("/")
        case = ET.Element("testcase", name=without_hidden(scenario), classname=without_hidden(provider))
        ET.SubElement(case, "skipped", message="There is no recording of this scenario.")
        cases.setdefault(provider, []).append(case)
    for provider, found in cases.items():
        verdict = result.verdicts.get(provider)
        answer = {} if verdict is None else {"verdict": str(verdict.answer)}
        reasons = () if verdict is None else verdict.reasons
        answer |= {f"reason.{number}": reason for number, reason in enumerate(reasons, 1)}
        yield _suite(provider, found, facts | answer, about)
    if result.complaints:
        faults = []
        for text in result.complaints:
            faults.append(ET.Element("testcase", name=_message(text), classname=_WAIVERS))
            _end(faults[-1], "failure", "waivers", text, without_hidden(text))
        yield _suite(_WAIVERS, faults, {}, about)


def _suite(name: str, cases: list[ET.Element], facts: Mapping[str, str], about: RunContext) -> ET.Element:
    ends = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    numbers = {plural: str(sum(c.find(tag) is not None for c in cases)) for plural, tag in ends.items()}
    numbers |= {"tests": str(len(cases)), "timestamp": about.checked_at}
    suite = ET.Element("testsuite", {"name": without_hidden(name), **numbers})
    if facts:
        properties = ET.SubElement(suite, "properties")
        for key, value in facts.items():
            ET.SubElement(properties, "property", name=key, value=without_hidden(value))
    suite.extend(cases)
    return suite


def _case(item: Item) -> ET.Element:
    case = ET.Element("testcase", name=without_hidden(item.scenario), classname=without_hidden(item.provider))
    open_ones = sorted(
        (d for d in item.unwaived if d.severity is not Severity.COSMETIC),
        key=lambda d: d.severity.rank,
    )
    noise = [d for d in item.noise if d.severity is not Severity.COSMETIC]
    if item.problem is not None:
        _end(case, "error", "unreadable", item.problem, without_hidden(item.problem))
    elif open_ones or noise:
        noisy = ["the reference differs when it runs twice"] if noise else []
        text = "\n\n".join([*_described(open_ones), *noisy, *_described(noise)])
        kind = str(open_ones[0].severity) if open_ones else "noise"
        _end(case, "failure", kind, "; ".join([*map(_title, open_ones), *noisy]), text)
    ET.SubElement(case, "system-out").text = "\n".join(_aside(item))
    return case


def _end(case: ET.Element, tag: str, kind: str, message: str, text: str) -> None:
    ET.SubElement(case, tag, type=kind, message=_message(message)).text = text


def _message(text: str) -> str:
    return cut(" ".join(text.split()), _LONGEST_MESSAGE)


def _title(divergence: Divergence) -> str:
    return f"{divergence.severity} {divergence.kind} at {divergence.where}"


def _described(found: list[Divergence]) -> Iterable[str]:
    yield from map(_one, found[:_MOST])
    if rest := and_more(found, _MOST, "differences"):
        yield f"{rest}; the report has them all"


def _one(divergence: Divergence) -> str:
    lines = [without_hidden(_title(divergence)), f"  {plain_meaning(divergence)}"]
    lines += [f"  {name:<9}  {value}" for name, value in cut_sides(divergence, _LONGEST_VALUE)]
    return "\n".join([*lines, f"  {'id':<9}  {divergence.fingerprint}"])


def _aside(item: Item) -> Iterator[str]:
    """Where the recording comes from, and what differs without failing the case."""
    recorded = "" if item.recorded_on is None else f", recorded on {item.recorded_on.isoformat()}"
    yield f"provenance: {item.provenance or 'unknown'}{recorded}"
    for divergence in item.divergences:
        reason = item.waived.get(divergence.fingerprint)
        if reason is not None:
            yield without_hidden(f"accepted: {_title(divergence)}: {reason}")
        elif divergence.severity is Severity.COSMETIC:
            yield _one(divergence)
