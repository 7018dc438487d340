"""`--speed` and `--pieces`: how recordings are played."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from llm_contracts.wire.proxy.playback_options import RECORDED_SPEED, Fragmentation, Pieces, pieces_from

Function = TypeVar("Function", bound=Callable[..., Any])

if TYPE_CHECKING:
    FloatParam = click.ParamType[float]
    PiecesParam = click.ParamType[Pieces]
else:  # before click 8.2 it is not generic
    FloatParam = PiecesParam = click.ParamType


class _Speed(FloatParam):
    """`recorded`, or how many times as fast as that; `full` is infinite."""

    name = "speed"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        named = {"recorded": RECORDED_SPEED, "full": float("inf")}
        try:
            factor = named[value] if value in named else float(value)
        except ValueError:
            factor = 0.0
        if not factor > 0:
            self.fail(f"{value!r} is neither recorded, full nor a positive number.", param, ctx)
        return factor


class _Pieces(PiecesParam):
    """The name of a rule, or a number of bytes."""

    name = "pieces"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Pieces:
        try:
            return pieces_from(str(value))
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


def speed_option(command: Function) -> Function:
    """`--speed N`."""
    return click.option(
        "--speed",
        type=_Speed(),
        metavar="recorded|full|N",
        shell_complete=_completed("recorded", "full"),
        help="How fast bodies are played: with the pauses of the recording, with none (full, the default), "
        "or N times as fast as recorded.",
    )(command)


def pieces_option(default: Fragmentation) -> Callable[[Function], Function]:
    """`--pieces RULE`; says what holds without it."""
    return click.option(
        "--pieces",
        type=_Pieces(),
        metavar="recorded|events|one|BYTES",
        shell_complete=_completed(*Fragmentation),
        help="Where bodies are cut: as recorded, after each event, nowhere, or after so many bytes; "
        f"by default {default}.",
    )


def _completed(*names: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    return lambda _context, _option, typed: [name for name in names if name.startswith(typed)]
