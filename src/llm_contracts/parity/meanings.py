"""What a difference means to an application, in a sentence: by kind and place, and by whose loss it is."""

from __future__ import annotations

from collections.abc import Mapping

from llm_contracts.parity.compare import ABSENT
from llm_contracts.parity.divergence import Divergence, Kind

MEANINGS: Mapping[Kind, str] = {
    Kind.TEXT: "The user reads something else.",
    Kind.DELTAS: "The same text arrives in other pieces: a typing effect looks different, nothing is lost.",
    Kind.REASONING: "Reasoning text is lost, moved or changed: it is missing where it is shown or logged.",
    Kind.TOOL_CALLS: "A tool is called otherwise, or not at all.",
    Kind.FINISH_REASON: "Code that asks why the answer ended (cut by length, filtered) takes another branch.",
    Kind.USAGE: "Other totals than the provider counted: metering and bills do not add up.",
    Kind.USAGE_INVENTED: "Totals that no provider counted, guessed by a local tokenizer: metered as facts.",
    Kind.USAGE_MISSING: "Totals that the provider sent are lost: the call is not metered.",
    Kind.USAGE_DETAILS: "Cached, reasoning or other parts of the totals appear or vanish: prices change.",
    Kind.ERROR: "Only one client fails, or each in its own way: other `except` clauses, other retries.",
    Kind.ERROR_POSITION: "Both fail, but not after the same part of the answer.",
    Kind.RESPONSE_ID: "The provider's id of the answer is replaced: support requests cannot be traced by it.",
    Kind.MODEL_NAME: "Not the name that the provider sent: logs no longer tell which version answered.",
    Kind.CHUNK_COUNT: "Chunks without content are added or dropped. Nobody should notice.",
    Kind.DELIVERY_LAG: "Something holds text back: the user sees it later.",
    Kind.REQUEST_TARGET: "Another address is called.",
    Kind.REQUEST_BODY: "The provider is asked something else: another model name, role or parameter.",
    Kind.REQUEST_HEADERS: "A header that means something is added or lost.",
    Kind.ATTEMPTS: "More or fewer requests are made: more waiting, more cost, or less resilience.",
    Kind.TELEMETRY: "Traces and dashboards show something else.",
    Kind.FIELDS: "Something else that chunks or errors carry is lost, changed or made up.",
    Kind.ORDER: "The parts of the answer come in another order: code that waits for one misses another.",
    Kind.SURFACE: "A name that code relies on is gone: an attribute, a method, or what `except` catches.",
    Kind.SIDE_EFFECT: "The call changes, prints or leaves behind something that it did not before.",
    Kind.UNFAITHFUL: "Both clients agree on something that the bytes do not say.",
}
"""What each kind of difference means to an application."""

_OLD_LACKS: Mapping[Kind, str] = {
    Kind.REASONING: "Only the new client hands on reasoning text: it appears where it is shown or logged.",
    Kind.TOOL_CALLS: "Only the new client hands on a tool call: code that never ran is called.",
    Kind.FINISH_REASON: "Only the new client says why the answer ended: code that asks takes another branch.",
    Kind.USAGE_MISSING: "The old client loses totals that the provider sent; only the new one meters it.",
    Kind.USAGE_DETAILS: "Only the new client hands on parts of the totals: prices may change.",
    Kind.RESPONSE_ID: "Only the new client hands on an id of the answer.",
    Kind.MODEL_NAME: "Only the new client says which model answered.",
    Kind.REQUEST_BODY: "The provider is asked for something that the old client never asked for.",
    Kind.REQUEST_HEADERS: "The new client sends a header that the old one does not.",
    Kind.FIELDS: "The new client hands on something that the old one drops.",
    Kind.ERROR: "The new client fails where the old one answers.",
}

_ERRORS = {
    "error": "The old client fails where the new one answers: code that waits for the failure never runs.",
    "error.category": "Both fail, but as other classes of error: other `except` clauses, other retries.",
    "error.status": "Both fail, but with another HTTP status: code that branches on it takes another way.",
    "error.code": "Both fail, but with another code: messages and branches that go by it change.",
}


def meaning(divergence: Divergence) -> str:
    """What this difference means to an application, as Markdown."""
    if divergence.reference == ABSENT and divergence.kind in _OLD_LACKS:
        return _OLD_LACKS[divergence.kind]
    if divergence.kind is Kind.FIELDS and divergence.where.startswith("error."):
        return "Both fail, and the error says something else: messages, logs and reports change."
    if divergence.kind is Kind.ERROR:
        return _ERRORS.get(divergence.where, MEANINGS[Kind.ERROR])
    return MEANINGS[divergence.kind]


def plain_meaning(divergence: Divergence) -> str:
    """What this difference means to an application, as plain text."""
    return meaning(divergence).replace("`", "")
