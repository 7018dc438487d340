"""The verdicts of a stored result that still stand: nobody may read a GO off a result that does not hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from shlex import quote

from llm_contracts.parity.result import Readiness, Reason, Verdict
from llm_contracts.parity.verdict import decide_on_result
from llm_contracts.project.config import ConfigError, Project
from llm_contracts.project.inputs import refuse_stale
from llm_contracts.results.store import Stored


def standing_verdicts(
    project: Project, stored: Stored, names: Sequence[str], *, today: date, named: Path | None = None
) -> Mapping[str, Verdict]:
    """Provider → verdict, of those asked for; without names, of every provider of the project.

    Args:
        project: whose providers, scenarios and settings are those of today.
        stored: the result.
        names: the providers asked for.
        today: the day from which ages are counted.
        named: the result's folder, if somebody chose it: then it may be about other clients than the
            project's own two.

    Raises:
        ConfigError: the result no longer holds, is about other clients, has no verdict for a name, or gives
            a GO that does not follow from its items.
    """
    refuse_stale(project.settings, stored.document)
    if named is None:
        _refuse_other_clients(project, stored)
    if not stored.result.verdicts:
        raise ConfigError("The stored result is of a part, and gives no verdict. Run `llm-contracts check`.")
    for name in names:
        if name not in stored.result.verdicts:
            raise ConfigError(
                f"The stored result has no verdict for {name}. Run `llm-contracts check --provider {name}`."
            )
    verdicts = stored.result.verdicts
    everyone = dict.fromkeys((*(row.name for row in project.providers), *verdicts))
    asked = {name: verdicts.get(name) or _left_out(name) for name in (names or everyone)}
    for name, verdict in asked.items():
        if verdict.answer is Readiness.READY:
            if "inputs" not in stored.document:
                raise ConfigError(
                    "The stored result does not say what it was made from. Run `llm-contracts check`."
                )
            _refuse_what_does_not_follow(project, stored, name, today)
    return asked


def _refuse_other_clients(project: Project, stored: Stored) -> None:
    """A GO for two other clients must not switch anything."""
    settings, result = project.settings, stored.result
    own = (settings.reference, settings.candidate)
    if (result.reference, result.candidate) != own:
        raise ConfigError(
            f"The stored result is about {result.reference} against {result.candidate}, not about {own[0]} "
            f"against {own[1]}. Run `llm-contracts check` again, or say that you mean it: "
            f"--report {settings.shown(stored.folder)}"
        )


def _refuse_what_does_not_follow(project: Project, stored: Stored, name: str, today: date) -> None:
    """A GO is decided once more, from the stored items and under the settings of today."""
    verdict = decide_on_result(project, name, stored.result, today=today)
    if verdict.answer is not Readiness.READY:
        raise ConfigError(
            f"The stored GO for {name} no longer holds: {verdict.reasons[0]} Run `llm-contracts check` again."
        )


def _left_out(name: str) -> Verdict:
    """Whoever asks about all providers must not take a part for the whole."""
    return Verdict(
        answer=Readiness.NO_EVIDENCE,
        because=(Reason(answer=Readiness.NO_EVIDENCE, sentence="The last check left it out."),),
        next=(f"llm-contracts check --provider {quote(name)}",),
    )
