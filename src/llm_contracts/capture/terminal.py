"""What a capture has kept, for people and as JSON."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from llm_contracts.util.terminal import terminal_console
from llm_contracts.util.text import count

if TYPE_CHECKING:
    from llm_contracts.capture.run import Capture


def capture_document(capture: Capture) -> dict[str, Any]:
    """The result as plain JSON values."""
    return {
        "format": 1,
        "recordings": capture.writer.written,
        "trouble": list(capture.writer.trouble),
        "providers": {
            name: {
                "calls": seen.calls,
                "not_looked_at": dict(seen.not_looked_at),
                "shapes": len(seen.shapes),
                "unrecorded": list(seen.unrecorded),
            }
            for name, seen in capture.writer.seen.items()
        },
    }


def print_addresses(capture: Capture, folder: Path) -> None:
    """Print on standard error where to call, by the variables that the SDKs read."""
    say = partial(terminal_console(stderr=True).print, soft_wrap=True)
    for name, url in capture.variables.items():
        say(f"{name}={url}")
    for each in capture.targets:
        if not each.variables:
            url = f"{capture.origin}/{each.provider}{urlsplit(each.endpoint.base_url).path}"
            say(f"{each.provider}: {url}")
    say(f"Recordings go to {_shown(folder)}. Health: {capture.origin}/health", style="dim")


def print_capture(capture: Capture, folder: Path, *, ran: bool, further: str) -> None:
    """Print what came of it on standard error: standard output is the program's, if one `ran`.

    Args:
        capture: it has ended.
        folder: where recordings are.
        ran: whether there was a program.
        further: the command to go on with.
    """
    say = partial(terminal_console(stderr=True).print, soft_wrap=True)
    writer = capture.writer
    for name, seen in writer.seen.items():
        recorded = sum(bool(each.recordings) for each in seen.shapes.values())
        own = sum(one.startswith(f"{name}/") for one in writer.written)
        say(
            f"{name}: {count(seen.calls, 'call')} of {count(len(seen.shapes), 'shape')}, "
            f"{count(own, 'new recording')}; {recorded} of the shapes recorded."
        )
        for why, number in seen.not_looked_at.most_common():
            say(f"  {count(number, 'call')} not kept: {why}.", style="yellow")
    for sentence in writer.trouble:
        say(f"Not everything was kept: {sentence}.", style="yellow")
    if not writer.seen:
        why = "Was an application started with one of the addresses above?"
        if ran:
            names = ", ".join(capture.variables)
            why = f"The program was given base URLs in {names}; does it read one of them?"
        say(f"No call passed. {why}", style="yellow")
    elif writer.written:
        say(f"Recordings are in {_shown(folder)}. Next: {further}")


def _shown(folder: Path) -> Path:
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
