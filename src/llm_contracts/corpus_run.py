"""The same comparison over streams that others recorded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from llm_contracts.parity.result import Item, Result
from llm_contracts.parity.verdict import decide_streams
from llm_contracts.parity.waivers import Waivers, load_waivers
from llm_contracts.paths.call import Call, Function
from llm_contracts.run import REPLAY_KEY, Match, Options, Progress, opened_match, project_waivers, run_jobs
from llm_contracts.versions import versions
from llm_contracts.wire.corpus import CorpusProblem, CorpusStream, read_corpus
from llm_contracts.wire.facts import read_facts

if TYPE_CHECKING:
    from llm_contracts.config import Project
    from llm_contracts.scenario import Provider
    from llm_contracts.wire.interaction import Interaction

_CHAT = "/chat/completions"
# What OpenAI's own API names. Clients refuse other names as arguments; whoever sent them used `extra_body`.
_ARGUMENTS = frozenset(
    [
        "audio",
        "frequency_penalty",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "metadata",
        "modalities",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
        "web_search_options",
    ]
)
_QUESTION = ({"role": "user", "content": "Hello"},)


def entries(
    source: Path, providers: Iterable[str] = (), *, known: Iterable[Provider] = ()
) -> tuple[CorpusStream | CorpusProblem, ...]:
    """What a file or folder holds; of these providers alone if any are named. Problems are always kept.

    A stream that comes from where one of the `known` providers answers is called by that one's name.
    """
    wanted, rows = set(providers), tuple(known)
    found = (_named(entry, rows) for entry in read_corpus(source))
    return tuple(
        entry for entry in found if isinstance(entry, CorpusProblem) or not wanted or entry.provider in wanted
    )


def _named(entry: CorpusStream | CorpusProblem, known: Iterable[Provider]) -> CorpusStream | CorpusProblem:
    if isinstance(entry, CorpusProblem):
        return entry
    owner = next((row for row in known if answers(row, entry.interaction.request.uri)), None)
    return entry if owner is None else replace(entry, provider=owner.name)


def answers(provider: Provider, uri: str) -> bool:
    """Whether an address is the one at which a provider answers; some do with and without `/v1`."""
    base, asked = urlsplit(provider.base_url), urlsplit(uri)
    paths = (base.path.rstrip("/").removesuffix("/v1"), asked.path.removesuffix(_CHAT).removesuffix("/v1"))
    return base.hostname == asked.hostname and paths[0] == paths[1]


def check_corpus(
    project: Project,
    corpus: tuple[CorpusStream | CorpusProblem, ...],
    options: Options,
    *,
    waivers_file: Path | None = None,
    progress: Progress = lambda _item: None,
) -> Result:
    """Run every stream through both paths and judge what differs.

    Args:
        project: whose paths may be used. It need not have scenarios.
        corpus: see `entries`. What is damaged becomes an item with a `problem`; what is no business of ours
            is left out by name.
        options: how to run.
        waivers_file: decisions about this corpus; those that accept nothing are complaints. Without it the
            project's own waivers apply, which need not fit every corpus.
        progress: told of each item.

    Raises:
        PathError: a path's name means nothing.
        WaiverError: a waivers file cannot be read.
    """
    waivers = _waivers(project, options, waivers_file)
    with opened_match(project, options) as match:
        items = run_jobs(
            (_job(match, entry) for entry in corpus if _concerns(entry)),
            workers=options.workers,
            progress=progress,
        )
    used = versions()
    items = waivers.applied(items, used)
    streams = [item for item in items if item.problem is None]
    return Result(
        reference=match.reference.name,
        candidate=match.candidate.name,
        engine=options.engine,
        versions=used,
        items=items,
        verdicts={
            name: decide_streams(name, streams) for name in dict.fromkeys(item.provider for item in streams)
        },
        left_out=tuple(entry for entry in corpus if isinstance(entry, CorpusProblem)),
        complaints=(*waivers.complaints, *(waivers.unused(items, used) if waivers_file else ())),
        warnings=(*waivers.warnings, *options.caveats),
    )


def _waivers(project: Project, options: Options, file: Path | None) -> Waivers:
    if file is None:
        return project_waivers(project, options)
    return load_waivers(file, options.today, warning_days=project.settings.waiver_warning_days)


def _job(match: Match, entry: CorpusStream | CorpusProblem) -> Callable[[], Item]:
    return lambda: run_entry(match, entry)


def _concerns(entry: CorpusStream | CorpusProblem) -> bool:
    return isinstance(entry, CorpusStream) or entry.why.damaged


def run_entry(match: Match, entry: CorpusStream | CorpusProblem) -> Item:
    """Run one stream."""
    if isinstance(entry, CorpusProblem):
        return Item(id=entry.place, provider="", scenario="", problem=f"{entry.place}: {entry.reason}")
    blank = Item(id=entry.id, provider=entry.provider, scenario=entry.id, provenance=entry.provenance)
    interaction = plain_address(entry.interaction)
    return match.run(blank, (interaction,), stream_call(entry.provider, interaction))


def stream_call(provider: str, interaction: Interaction) -> Call:
    """The call that a stream answers: as recorded, or where that was not kept, a plain question to the model
    that the stream itself names.

    Usage totals are asked for whether or not the recorded call did: it is what our product sends, and a
    client that was not told to expect totals may drop those that came.
    """
    recorded = _recorded(interaction.request.body)
    messages = tuple(recorded.pop("messages", None) or _QUESTION)
    models = read_facts(interaction.response).models
    recorded.pop("stream", None)
    return Call(
        base_url=interaction.request.uri.removesuffix(_CHAT),
        api_key=REPLAY_KEY,
        provider=provider,
        model=recorded.pop("model", None) or (models[0] if models else "unknown"),
        messages=messages,
        params=_params(recorded),
        function=Function.INVOKE if _is_one_question(messages) else Function.CHAT,
    )


def _params(recorded: Mapping[str, Any]) -> dict[str, Any]:
    params = {name: value for name, value in recorded.items() if name in _ARGUMENTS}
    rest = {name: value for name, value in recorded.items() if name not in _ARGUMENTS}
    asked = {"stream_options": {"include_usage": True}}
    return {**params, **asked, **({"extra_body": rest} if rest else {})}


def _recorded(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return dict(found) if isinstance(found, dict) else {}


def _is_one_question(messages: tuple[Mapping[str, Any], ...]) -> bool:
    """Whether `invoke` can ask this: one user's text, after a system's at most."""
    roles = [message.get("role") for message in messages]
    texts = all(isinstance(message.get("content"), str) for message in messages)
    return texts and roles in (["user"], ["system", "user"])


def plain_address(interaction: Interaction) -> Interaction:
    """The same exchange at an address without a query: a client given a base URL cannot be made to send one,
    and some hosts put their API version there.
    """
    parts = urlsplit(interaction.request.uri)
    base = parts.path.removesuffix(_CHAT)
    uri = urlunsplit((parts.scheme, parts.netloc, base + _CHAT, "", ""))
    return replace(interaction, request=replace(interaction.request, uri=uri))
