"""What somebody asks a matrix for."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from llm_contracts.matrix.plan import LATEST, ReleasePair
from llm_contracts.util.versions import versions


@dataclass(frozen=True, kw_only=True, slots=True)
class MatrixRequest:
    """The options of the command.

    Attributes:
        litellm, openai: releases, one after the other or with commas or blanks between.
        providers, scenarios, reference, candidate, corpus, jobs, timeout, cost: handed on to the check.
        overrides, requirements: beside those of `matrix.toml`.
        bisect: the kind of difference whose release is wanted.
        cache: uv's cache folder, in place of its own choice.
        report: the folder of the results, in place of the project's.
    """

    litellm: tuple[str, ...] = ()
    openai: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    reference: str | None = None
    candidate: str | None = None
    corpus: Path | None = None
    overrides: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    bisect: str | None = None
    cost: bool = False
    jobs: int | None = None
    timeout: float | None = None
    cache: Path | None = None
    report: Path | None = None

    def pairs(self, planned: Sequence[ReleasePair]) -> list[ReleasePair]:
        """What is asked for, each pair once; where nothing is, what the project plans."""
        here = pinned_pair()
        litellm, openai = (
            [part for value in values for part in value.replace(",", " ").split()]
            for values in (self.litellm, self.openai)
        )
        if not litellm and not openai:
            return list(dict.fromkeys(planned)) or [ReleasePair(litellm=LATEST, openai=LATEST)]
        pairs = (
            ReleasePair(litellm=one, openai=other)
            for one in litellm or [here.litellm]
            for other in openai or [here.openai]
        )
        return list(dict.fromkeys(pairs))

    def check_arguments(self, scenarios: Sequence[str] | None = None) -> tuple[str, ...]:
        """The command and options of the check that runs under each pair. `scenarios`: those to run, in place
        of what was asked for.
        """
        words = ["corpus", str(self.corpus.absolute())] if self.corpus is not None else ["check"]
        if self.corpus is None and scenarios is not None:
            words += _options({"scenario": scenarios})
        else:
            words += _options({"provider": self.providers, "scenario": self.scenarios})
        for name in ("reference", "candidate", "jobs", "timeout"):
            words += _options({name: getattr(self, name)})
        return (*words, *(["--cost"] if self.cost else []))

    @property
    def command(self) -> str:
        """What was asked for, as one would type it; the files that it was written to are left out."""
        named: dict[str, object] = {"litellm": self.litellm, "openai": self.openai}
        named |= {
            "provider": self.providers,
            "scenario": self.scenarios,
            "reference": self.reference,
            "candidate": self.candidate,
        }
        named |= {"corpus": self.corpus, "override": self.overrides, "bisect": self.bisect}
        return shlex.join(["llm-contracts", "matrix", *_options(named), *(["--cost"] if self.cost else [])])


def pinned_pair() -> ReleasePair:
    """The pair that is installed here."""
    here = versions()
    return ReleasePair(litellm=here["litellm"], openai=here["openai"])


def _options(named: Mapping[str, object]) -> list[str]:
    """Options as words; one that was not given is left out, one with several values is repeated."""
    return [
        word
        for name, given in named.items()
        for value in (given if isinstance(given, (tuple, list)) else (given,))
        if value is not None
        for word in (f"--{name}", str(value))
    ]
