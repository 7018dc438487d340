"""The terminal during a review: single keys in, whole screens out, everything put back at the end."""

from __future__ import annotations

import os
import select
import shlex
import subprocess
import tempfile
import termios
import tty
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Self, TextIO

from rich.console import Console
from rich.text import Text

from llm_contracts.review.tui.drawing import NARROW, Size
from llm_contracts.review.tui.forms import PASTED
from llm_contracts.review.tui.session import InteractiveReview
from llm_contracts.review.tui.state import ReviewState, Screen

_ALONE = 0.05  # seconds after which an escape is the key Esc, not the beginning of another key
_RESIZE = 0.3  # seconds between two looks at the size of the window
_SEQUENCES: Mapping[str, str] = {
    "[A": "up", "[B": "down", "[C": "right", "[D": "left",
    "": "esc", "OA": "up", "OB": "down", "OC": "right", "OD": "left",
    "[5~": "pgup", "[6~": "pgdn", "[H": "home", "[F": "end", "[1~": "home", "[4~": "end", "[Z": "backtab",
}  # fmt: skip
_PASTE, _PASTE_END = "[200~", "\x1b[201~"  # what a terminal puts around a pasted text
_NAMED: Mapping[str, str] = {
    "\r": "enter", "\n": "enter", "\t": "tab", " ": "space", "\x7f": "backspace", "\x08": "backspace",
    "\x03": "ctrl-c", "\x04": "ctrl-c", "\x05": "ctrl-e", "\x15": "ctrl-u", "\x17": "ctrl-w",
}  # fmt: skip


class Terminal:
    """A terminal in full-screen mode; a context manager that leaves it as it was."""

    def __init__(self, source: TextIO, target: TextIO) -> None:
        self._in = source.fileno()
        self._out = target
        self._console = Console(file=target, highlight=False)
        self._settings = termios.tcgetattr(self._in)

    def __enter__(self) -> Self:
        tty.setraw(self._in)
        self._write("\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[2J")
        return self

    def __exit__(self, *_error: object) -> None:
        self._write("\x1b[?2004l\x1b[?25h\x1b[?1049l")
        termios.tcsetattr(self._in, termios.TCSADRAIN, self._settings)

    def size(self) -> Size:
        """Columns and lines now."""
        columns, lines = os.get_terminal_size(self._in)
        return Size(width=max(columns, 20), height=max(lines, 8))

    def paint(self, lines: tuple[Text, ...], size: Size) -> None:
        """Show these lines, and nothing of what was there before."""
        self._console.width = size.width
        with self._console.capture() as captured:
            self._console.print(Text("\n").join(lines), no_wrap=True, overflow="crop", end="")
        rows = captured.get().split("\n")
        self._write("\x1b[H" + "\x1b[K\r\n".join(rows[: size.height]) + "\x1b[K\x1b[J")

    def key(self) -> str | None:
        """The next key, empty for one without a name here; None where none came for a while, so that the size
        can be looked at.
        """
        if not select.select([self._in], [], [], _RESIZE)[0]:
            return None
        first = self._character()
        if first != "\x1b":
            return _NAMED.get(first, first if first.isprintable() else "")
        rest = self._rest()
        if rest != _PASTE:
            return _SEQUENCES.get(rest, "")
        text = ""
        while not text.endswith(_PASTE_END):
            text += self._character()
        return PASTED + " ".join(text.removesuffix(_PASTE_END).split())  # one key, in one line

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Give the terminal to another program for a while."""
        self.__exit__()
        try:
            yield
        finally:
            self.__enter__()

    def _rest(self) -> str:
        """What follows an escape at once: nothing, a control sequence up to its final byte (ECMA-48), or one
        character for a key pressed with Alt.
        """
        found = ""
        while select.select([self._in], [], [], _ALONE)[0]:
            found += self._character()
            if found not in {"[", "O"} and (found[0] != "[" or "@" <= found[-1] <= "~"):
                break
        return found

    def _character(self) -> str:
        """One character, however many bytes it takes; a terminal that is gone counts as Ctrl-C."""
        data = os.read(self._in, 1)
        if not data:
            return "\x03"
        more = 3 if data[0] >= 0xF0 else 2 if data[0] >= 0xE0 else 1 if data[0] >= 0xC0 else 0  # noqa: PLR2004 - UTF-8
        for _ in range(more):
            data += os.read(self._in, 1)
        return data.decode("utf-8", "replace")

    def _write(self, text: str) -> None:
        encoding = self._out.encoding or "utf-8"
        self._out.write(text.encode(encoding, "backslashreplace").decode(encoding))
        self._out.flush()


def run_full_screen(session: InteractiveReview, terminal: Terminal) -> None:
    """Review until it is left. Whatever happens, the terminal is put back."""
    with terminal:
        size = terminal.size()
        terminal.paint(session.frame(size).lines, size)
        while True:
            key = terminal.key()
            if key is None and terminal.size() == size:
                continue
            if key and not session.press(key):
                return
            size = terminal.size()
            terminal.paint(session.frame(size).lines, size)


def run_lines(session: InteractiveReview, console: Console, ask: Callable[[str], str]) -> None:
    """Review a line at a time, without moving the cursor: for screen readers and plain terminals."""
    while True:
        lines = session.frame(Size(width=min(console.width, _LINE), height=_PAGE)).lines
        before = ""
        for line in lines:
            if line.plain.strip() or before:  # one empty line instead of many
                console.print(line, no_wrap=True, overflow="crop")
            before = line.plain.strip()
        form = session.state.form
        try:
            typed = ask(f"{form.field if form is not None else 'key'}> ")
        except EOFError:
            return
        keys = keys_of(typed, session.state)
        if not keys:
            console.print("One key at a time, please; ? lists them.")
        if not all(session.press(key) for key in keys):
            return


_PAGE = 200  # lines of a screen that scrolls by itself
_LINE = NARROW - 1  # lanes one above the other: nobody can listen to two columns
_WORDS = frozenset(_NAMED.values()) | frozenset(_SEQUENCES.values()) | {"esc"}


def keys_of(typed: str, state: ReviewState) -> list[str]:
    """The keys that a line stands for. In a field it is the new text, and an empty line keeps the old one;
    elsewhere only one key counts, so that a whole word does not do a dozen things.
    """
    if typed in _WORDS:
        return [typed]
    text = ["ctrl-u", *(_NAMED.get(character, character) for character in typed)] if typed else []
    if state.screen is Screen.FILTER:
        return ["ctrl-u", *text, "enter"]
    if state.form is not None and state.screen is Screen.FORM:
        last = state.form.at == len(state.form.fields) - 1
        chosen = list(typed) if state.form.field == "scope" else text
        return [*chosen, "enter" if last else "tab"]
    return [_NAMED.get(typed, typed)] if len(typed) == 1 else ["enter"] if not typed else []


def editor(terminal: Terminal | None, environ: Mapping[str, str]) -> Callable[[str], str | None]:
    """A function that has a text edited in $VISUAL or $EDITOR, with the terminal given away meanwhile."""

    def edit(text: str) -> str | None:
        command = shlex.split(environ.get("VISUAL") or environ.get("EDITOR") or "vi")
        with tempfile.TemporaryDirectory() as folder, terminal.aside() if terminal else nullcontext():
            file = Path(folder) / "REASON.txt"
            file.write_text(text + "\n", encoding="utf-8")
            try:
                done = subprocess.run([*command, str(file)], check=False)  # noqa: S603 - the person's own
            except OSError:
                return None
            return file.read_text(encoding="utf-8") if done.returncode == 0 else None

    return edit
