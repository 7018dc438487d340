"""A recorded answer made as long as measuring needs it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle, islice

from llm_contracts.wire.facts import read_facts
from llm_contracts.wire.interaction import Interaction
from llm_contracts.wire.protocols import BUILT_IN, Protocols
from llm_contracts.wire.streamed import Streamed

_OK = range(200, 300)
_DIFFERENT = 4  # chunks: a client may take one that comes all the time for a fault


@dataclass(frozen=True, kw_only=True, slots=True)
class Playable:
    """A recording to measure with: as it was recorded, and its events before the text, those of the text, and
    those after.

    The first and the last chunk of text are not part of `texts`: some providers say in them who is speaking,
    or how it ended.
    """

    recorded: tuple[Interaction, ...]
    streamed: Streamed
    before: tuple[bytes, ...]
    texts: tuple[bytes, ...]
    after: tuple[bytes, ...]

    @classmethod
    def of(cls, interactions: tuple[Interaction, ...], protocols: Protocols = BUILT_IN) -> Playable | None:
        """None where the recording is not an answer in text that came to its end without any trouble."""
        streamed = Streamed.of(interactions)
        facts = [read_facts(interaction.response, protocols) for interaction in interactions]
        fine = all(each.status in _OK and each.error is None and not each.malformed for each in facts)
        if streamed is None or not fine:
            return None
        said = [number for number, facts in enumerate(streamed.each(protocols)) if facts.whole_text]
        if not said:
            return None
        parts, first, last = streamed.parts, said[0], said[-1]
        return cls(
            recorded=interactions,
            streamed=streamed,
            before=parts[: first + 1],
            texts=tuple(parts[number] for number in said[1:-1]),
            after=parts[last:] if last > first else parts[last + 1 :],
        )

    @property
    def stretches(self) -> bool:
        """Whether there is enough in it to be made of any length."""
        return len(set(self.texts)) >= _DIFFERENT

    def with_chunks(self, count: int) -> tuple[Interaction, ...]:
        """The recording with so many chunks of text, at least two: some of those that it has, or all of them
        again and again. Every event is one that was recorded.
        """
        return self.streamed.with_parts((*self.before, *islice(cycle(self.texts), count - 2), *self.after))


def text_of(interactions: tuple[Interaction, ...], protocols: Protocols = BUILT_IN) -> int:
    """The characters of text that are on the wire."""
    return sum(len(read_facts(interaction.response, protocols).whole_text) for interaction in interactions)
