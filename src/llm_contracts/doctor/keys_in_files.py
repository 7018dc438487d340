"""Files searched for keys: by value, by the shapes of keys, and by the patterns of a maintained scanner.

The scanner's guesses by entropy and by variable names are left out: recordings are full of random ids, and
tests of made-up passwords. So are its patterns for clouds that have nothing to do with models, which cost
most of its time. A line that says `pragma: allowlist secret` is left alone, as by the scanner itself; not so
in recordings, which nobody annotates.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from llm_contracts.util.files import read_file
from llm_contracts.wire.scrub import find_secrets, shapes_in, shapes_in_source

_PLUGINS = (
    "AWSKeyDetector",
    "AzureStorageKeyDetector",
    "BasicAuthDetector",
    "DiscordBotTokenDetector",
    "GitHubTokenDetector",
    "JwtTokenDetector",
    "MailchimpDetector",
    "NpmDetector",
    "PrivateKeyDetector",
    "SendGridDetector",
    "SlackDetector",
    "SquareOAuthDetector",
    "StripeDetector",
    "TwilioKeyDetector",
)
_ALLOWED = re.compile(rb"pragma: ?allowlist[ -]secret")
Progress = Callable[[str], None]
Scan = Callable[[Path, str], Iterator[tuple[str, int]]]
"""What looks like a secret in a file with this text, and in which lines."""


def known_values(data: bytes, secrets: Mapping[str, str]) -> Iterator[str]:
    """`the value of NAME`, for each configured secret that is in there in any form."""
    return (f"the value of {name}" for name in find_secrets(data, secrets))


def shapes(data: bytes) -> Iterator[str]:
    """`what looks like an OpenAI-like key`, for each shape of a key in a recording."""
    return (f"what looks like {what}" for what in shapes_in(data))


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """What is a key, or looks like one, and where. `line` counts from 1; 0 is the whole file."""

    file: str
    line: int
    what: str

    @property
    def place(self) -> str:
        """`file:line`, as editors understand it."""
        return f"{self.file}:{self.line}" if self.line else self.file


def keys_in_files(
    files: Iterable[Path],
    *,
    root: Path,
    recordings: Collection[Path],
    secrets: Mapping[str, str],
    progress: Progress = lambda _name: None,
) -> Iterator[Key]:
    """Search files, one after the other. One that has gone meanwhile (a draft, say) holds nothing.

    Args:
        files: what to search.
        root: the project's folder; names are relative to it.
        recordings: folders whose files are recordings or made from them: nothing is forgiven there.
        secrets: variable → value, of those that are configured.
        progress: called with each file's name.

    Raises:
        OSError: a file cannot be read.
    """
    with _scanner() as scan:
        for file in files:
            name = file.relative_to(root).as_posix()
            with suppress(FileNotFoundError):
                data = read_file(file)
                found = dict.fromkeys((what, 0) for what in known_values(data, secrets))
                if b"\0" not in data:
                    recorded = any(file.is_relative_to(folder) for folder in recordings)
                    looks = ((what, 0) for what in shapes(data)) if recorded else _in_source(data)
                    looked = dict.fromkeys(looks)
                    lines = {line for _, line in looked}
                    scanned = scan(file, data.decode("utf-8", "replace"))
                    found |= looked | dict.fromkeys(one for one in scanned if one[1] not in lines)
                yield from (Key(file=name, line=line, what=what) for what, line in found)
            progress(name)


def _in_source(data: bytes) -> Iterator[tuple[str, int]]:
    for what, start in shapes_in_source(data):
        line = data[:start].rpartition(b"\n")[2] + data[start:].partition(b"\n")[0]
        if not _ALLOWED.search(line):
            yield f"what looks like {what}", data.count(b"\n", 0, start) + 1


@contextmanager
def _scanner() -> Iterator[Scan]:
    """The scanner, told to look for shapes only. A file is handed to it where a pattern of its own occurs in
    the text at all: it reads line by line, which for all files would take minutes.
    """
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
    from detect_secrets.core.scan import scan_file
    from detect_secrets.settings import transient_settings

    classes = get_mapping_from_secret_type_to_class().values()
    patterns = [shape for each in classes if each.__name__ in _PLUGINS for shape in vars(each)["denylist"]]

    def scan(file: Path, text: str) -> Iterator[tuple[str, int]]:
        if any(pattern.search(text) for pattern in patterns):
            yield from (
                (f"what looks like a secret ({one.type})", one.line_number) for one in scan_file(str(file))
            )

    with transient_settings({"plugins_used": [{"name": name} for name in _PLUGINS]}):
        yield scan
