"""The terminal during a review: prompt_toolkit reads keys and draws the screen; or all goes line by line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

from prompt_toolkit.application import Application, run_in_terminal
from prompt_toolkit.formatted_text import ANSI
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import FormattedTextControl, Layout, Window
from rich.console import Console, ConsoleDimensions
from rich.text import Text

from llm_contracts.review.tui.drawing import NARROW
from llm_contracts.review.tui.forms import PASTED
from llm_contracts.review.tui.keys import Effect
from llm_contracts.review.tui.session import InteractiveReview
from llm_contracts.review.tui.state import ReviewState
from llm_contracts.util.text import SIGNS

_ALONE = 0.05  # seconds after which an escape is the key Esc, not the beginning of another key
_PAGE = 200  # lines of a screen that scrolls by itself
_LINE = NARROW - 1  # lanes one above the other: nobody can listen to two columns
_KEYS: Mapping[str, str] = {
    "c-m": "enter", "c-j": "enter", "c-i": "tab", "s-tab": "backtab", "c-h": "backspace", "escape": "esc",
    "pageup": "pgup", "pagedown": "pgdn", "c-c": "ctrl-c", "c-d": "ctrl-c", "c-e": "ctrl-e", "c-u": "ctrl-u",
    "c-w": "ctrl-w", **{name: name for name in ("up", "down", "left", "right", "home", "end", "delete")},
}  # fmt: skip
"""prompt_toolkit's names of the keys that mean something here; all others are ignored."""


def run_full_screen(session: InteractiveReview) -> None:
    """Review until it is left. Whatever happens, the terminal is put back."""
    console = Console(file=sys.stdout, highlight=False)

    def show() -> ANSI:
        columns, rows = app.output.get_size()[::-1]
        console.width = max(columns, 20)
        with console.capture() as captured:
            lines = session.frame(ConsoleDimensions(width=console.width, height=max(rows, 8)))
            console.print(Text("\n").join(lines), no_wrap=True, overflow="crop", end="")
        return ANSI(captured.get())

    window = Window(FormattedTextControl(show), always_hide_cursor=True)
    app: Application[None] = Application(Layout(window), key_bindings=_bindings(session), full_screen=True)
    app.timeoutlen = app.ttimeoutlen = _ALONE
    try:
        app.run()
    except EOFError:  # the terminal is gone
        return


def _bindings(session: InteractiveReview) -> KeyBindings:
    bindings = KeyBindings()
    unknown = ""  # the beginning of a key that prompt_toolkit does not know, and hands over in characters

    def pressed(event: KeyPressEvent) -> None:
        nonlocal unknown
        key, data = event.key_sequence[-1].key, event.data
        if unknown:  # ends with one of these characters, as ECMA-48 says
            unknown = "" if "@" <= data <= "~" else unknown
            return
        name = _KEYS.get(key, data if len(key) == 1 and data.isprintable() else "")
        if key is Keys.BracketedPaste:  # one key, in one line
            name = PASTED + " ".join(data.split())
        effect = session.press(name) if name else None
        if effect is Effect.QUIT:
            event.app.exit()
        elif effect is Effect.EDIT:
            run_in_terminal(session.edit)

    for name in (*_KEYS, Keys.BracketedPaste, Keys.Any):
        bindings.add(name)(pressed)

    @bindings.add(Keys.Escape, Keys.Any)
    def with_alt(event: KeyPressEvent) -> None:
        nonlocal unknown
        unknown = event.data[-1] if event.data[-1:] in {"[", "O"} else ""

    bindings.add(Keys.ControlZ)(lambda event: event.app.suspend_to_background())
    return bindings


def run_lines(session: InteractiveReview, console: Console, ask: Callable[[str], str]) -> None:
    """Review a line at a time, without moving the cursor: for screen readers and plain terminals."""
    effect = None
    while effect is not Effect.QUIT:
        before = ""
        for line in session.frame(ConsoleDimensions(width=min(console.width, _LINE), height=_PAGE)):
            if line.plain.strip() or before:  # one empty line instead of many
                console.print(line.plain.encode("ascii", SIGNS).decode(), no_wrap=True, overflow="crop")
            before = line.plain.strip()
        form = session.state.form
        try:
            keys = keys_of(ask(f"{form.field if form is not None else 'key'}> "), session.state)
        except EOFError:
            return
        if not keys:
            console.print("One key at a time, please; ? lists them.")
        for key in keys:
            effect = session.press(key)
            if effect is Effect.EDIT:
                session.edit()


def keys_of(typed: str, state: ReviewState) -> list[str]:
    """The keys that a line stands for. In a field it is the new text, and an empty line keeps the old one;
    elsewhere only one key counts, so that a whole word does not do a dozen things.
    """
    if typed in _KEYS.values():
        return [typed]
    if state.form is not None:
        text = ["ctrl-u", PASTED + typed] if typed else []
        last = state.form.at == len(state.form.fields) - 1
        return [*(list(typed) if state.form.field == "scope" else text), "enter" if last else "tab"]
    return [typed] if len(typed) == 1 else ["enter"] if not typed else []
