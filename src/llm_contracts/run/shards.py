"""A part of a run, so that several machines share it. Which part something belongs to depends on its name
alone, so that every machine decides alike.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from llm_contracts.project.config import ConfigError

_FORM = re.compile(r"(\d{1,4})/(\d{1,4})")


@dataclass(frozen=True, kw_only=True, slots=True)
class Shard:
    """The part `number`, from 1, `of` so many. Written `2/3`."""

    number: int
    of: int

    def owns(self, name: str) -> bool:
        """Whether the recording of this name belongs to it."""
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8]) % self.of == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @property
    def folder(self) -> str:
        """The name of the folder for its result."""
        return f"shard-{self.number}-of-{self.of}"


def owned(shard: Shard | None, name: str) -> bool:
    """Whether a recording is to be run: where there are no parts, all are."""
    return shard is None or shard.owns(name)


def parse_shard(text: str) -> Shard:
    """The shard that `2/3` means.

    Raises:
        ConfigError: it means none.
    """
    found = _FORM.fullmatch(text)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise ConfigError(f"{text!r} is not a part of a run: the second of three parts is 2/3.")
    return Shard(number=int(found[1]), of=int(found[2]))
