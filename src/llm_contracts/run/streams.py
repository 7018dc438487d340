"""The same comparison over streams that others recorded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from llm_contracts.clients.call import Call, Function
from llm_contracts.corpus import CorpusProblem, CorpusStream, Entry
from llm_contracts.corpus.sources import concerns
from llm_contracts.parity.result import Item, Result, Verdict
from llm_contracts.parity.verdict import decide_streams
from llm_contracts.parity.waivers import Waivers, load_waivers
from llm_contracts.results.items import Packed, whole
from llm_contracts.run.check import (
    REPLAY_KEY,
    Options,
    Pairing,
    Progress,
    client_names,
    context_for,
    gathered,
    opened_match,
    project_waivers,
)
from llm_contracts.run.workers.threads import Work, WorkerContext, WorkerPool, alone
from llm_contracts.util.versions import versions
from llm_contracts.wire.facts import read_facts

if TYPE_CHECKING:
    from llm_contracts.project.config import Project
    from llm_contracts.wire.interaction import Interaction, Response

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


def check_corpus(
    project: Project,
    corpus: Iterable[Entry],
    options: Options,
    *,
    waivers_file: Path | None = None,
    folder: Path | None = None,
    workers: WorkerPool | None = None,
    progress: Progress = lambda _done: None,
) -> Result:
    """Run every stream through both clients and judge what differs.

    Args:
        project: whose paths may be used. It need not have scenarios.
        corpus: see `entries`; taken as workers get free. What is damaged becomes an item with a
            `problem`; what is no business of ours is left out by name.
        options: how to run.
        waivers_file: decisions about this corpus; those that accept nothing are complaints. Without it the
            project's own waivers apply, which need not fit every corpus.
        folder: where the result is stored, if not in report/corpus.
        workers: who does it; by default this process, and then items have everything in them.
        progress: told of each item.

    Raises:
        ClientError: a client's name is unknown.
        WaiverError: a waivers file cannot be read.
    """
    _waivers(project, options, waivers_file)  # what is wrong with them is said before anything runs
    workers = workers or alone(corpus_context(project, options), project, options.workers)
    left_out: list[CorpusProblem] = []

    def tasks() -> Iterator[Entry]:
        for entry in corpus:
            if isinstance(entry, CorpusProblem):
                left_out.append(entry)
            if concerns(entry):
                yield entry

    items = gathered(workers(tasks()), progress)
    return concluded_corpus(project, items, left_out, options, waivers_file=waivers_file, folder=folder)


def corpus_context(
    project: Project, options: Options, pack: Callable[[Item], Packed] = whole
) -> WorkerContext:
    """Where streams are run; a task is an entry of a corpus.

    Raises:
        ClientError: a client's name is unknown.
    """
    return context_for(project, options, _entries_at_work, pack)


@contextmanager
def _entries_at_work(project: Project, options: Options) -> Iterator[Work]:
    with opened_match(project, options) as match:
        yield partial(run_entry, match)


def concluded_corpus(
    project: Project,
    items: tuple[Item, ...],
    left_out: Iterable[CorpusProblem],
    options: Options,
    *,
    waivers_file: Path | None = None,
    folder: Path | None = None,
) -> Result:
    """What these items mean: waivers applied, and a verdict for each provider; `folder`: where the result is
    stored, if not in report/corpus.

    Raises:
        WaiverError: a waivers file cannot be read.
    """
    waivers, used = _waivers(project, options, waivers_file), versions(project.settings.distributions)
    items = waivers.applied(items, used)
    useless = waivers.unused(items, used) if waivers_file and not options.shard else ()
    streams = [item for item in items if item.problem is None]
    reference, candidate = client_names(project, options)
    return Result(
        reference=reference,
        candidate=candidate,
        engine=options.engine,
        versions=used,
        items=items,
        verdicts={} if options.shard else _verdicts(project, streams, folder),
        left_out=tuple(left_out),
        complaints=(*waivers.complaints, *useless),
        warnings=(*waivers.warnings, *options.caveats),
    )


def _verdicts(project: Project, streams: Sequence[Item], folder: Path | None) -> dict[str, Verdict]:
    known = {row.name for row in project.providers}
    shown = project.settings.shown(folder or project.settings.report / "corpus")
    names = dict.fromkeys(item.provider for item in streams)
    return {name: decide_streams(name, streams, known=name in known, folder=shown) for name in names}


def _waivers(project: Project, options: Options, file: Path | None) -> Waivers:
    if file is None:
        return project_waivers(project, options)
    return load_waivers(file, options.today, warning_days=project.settings.waiver_warning_days)


def run_entry(match: Pairing, entry: CorpusStream | CorpusProblem) -> Item:
    """Run one stream."""
    if isinstance(entry, CorpusProblem):
        return Item(id=entry.place, provider="", scenario="", problem=f"{entry.place}: {entry.reason}")
    blank = Item(id=entry.id, provider=entry.provider, scenario=entry.id, provenance=entry.provenance)
    interaction = plain_address(entry.interaction)
    return match.run(blank, (interaction,), stream_call(entry.provider, interaction))


def stream_call(provider: str, interaction: Interaction) -> Call:
    """The call that a stream answers: as recorded, or where that was not kept, a plain question to the model
    that the stream itself names.

    Usage totals are asked for whether or not the recorded call did: applications that count tokens do so, and
    a client that was not told to expect totals may drop those that came.
    """
    recorded = _recorded(interaction.request.body)
    messages = tuple(recorded.pop("messages", None) or _QUESTION)
    recorded.pop("stream", None)
    return Call(
        base_url=interaction.request.uri.removesuffix(_CHAT),
        api_key=REPLAY_KEY,
        provider=provider,
        model=recorded.pop("model", None) or _model(interaction.response),
        messages=messages,
        params=_params(recorded),
        function=Function.INVOKE if _is_one_question(messages) else Function.CHAT,
    )


def _model(response: Response) -> str:
    models = read_facts(response).models
    return models[0] if models else "unknown"


def _params(recorded: Mapping[str, Any]) -> dict[str, Any]:
    params = {name: value for name, value in recorded.items() if name in _ARGUMENTS}
    rest = {name: value for name, value in recorded.items() if name not in _ARGUMENTS}
    asked = {"stream_options": {"include_usage": True}}
    return {**params, **asked, **({"extra_body": rest} if rest else {})}


def _recorded(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (RecursionError, ValueError):
        return {}
    messages = found.get("messages", []) if isinstance(found, dict) else None
    usable = isinstance(messages, list) and all(isinstance(message, dict) for message in messages)
    return dict(found) if usable else {}


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
