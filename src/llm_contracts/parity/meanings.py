"""What each kind of difference means to an application."""

from __future__ import annotations

from collections.abc import Mapping

from llm_contracts.parity.divergence import Kind

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
