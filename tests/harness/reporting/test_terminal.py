"""The report on a terminal: everything that needs a decision is there, and nothing else."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping

import pytest
from rich.console import Console

from llm_contracts.parity.compare.finding import ABSENT
from llm_contracts.parity.divergence import Kind
from llm_contracts.parity.result import Readiness, Result, Verdict
from llm_contracts.reporting.answer import answer
from llm_contracts.reporting.terminal import print_result, print_verdicts
from llm_contracts.util.text import SIGNS
from tests.harness.reporting.samples import (
    BODY,
    INVENTED,
    divergence,
    item,
    mixed,
    observation,
    result,
    verdict,
)


def shown(value: Result, *, width: int = 110, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, errors=SIGNS, newline="\n")
    print_result(Console(file=stream, width=width), value)
    stream.flush()
    return raw.getvalue().decode(encoding)


def row(text: str, start: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(start))


def test_a_result_without_differences_is_short_and_says_so() -> None:
    agreeing = result(item(), item("deepseek/plain-stream"))
    text = shown(agreeing)
    assert row(text, "plain-stream").split() == ["plain-stream", "✓", "✓"]
    assert "To decide" not in text
    assert "differs" not in text
    assert text.strip().endswith("2 recordings compared, 2 agree.")
    assert len(text.splitlines()) < 8


def test_a_provider_that_was_held_against_a_path_of_its_own_is_named_with_it() -> None:
    own = item("gemini/plain-stream", reference=observation("hi", client="by-hand"))
    assert "gemini against by-hand" in shown(result(own))
    assert "gemini against" not in shown(result(own, reference="by-hand"))


def test_the_table_has_a_mark_for_everything_that_can_happen() -> None:
    text = shown(mixed())
    assert row(text, "plain-stream").split() == ["plain-stream", "✓", "≈", "noise"]
    assert row(text, "no-usage").split() == ["no-usage", "✗", "usage_invented", "!", "unreadable"]
    assert row(text, "chat").split() == ["chat", "~", "1", "–"]


@pytest.mark.parametrize(
    "expected",
    [
        "✗ usage_invented at usage.total_tokens   breaking, 1 recording",
        "Noise: the reference against itself (1)",
        "~ request_body ×1   the legacy call never asked",
        "cassettes/deepseek/no-usage.yaml: interactions[0].response.body: is missing.",
        "waivers.toml: waiver 2 matches nothing: delete it.",
        "cassettes/openai/old.yaml belongs to no scenario.",
        "NO-GO  blocked: openai",
        "NO-GO: 2 breaking differences to decide; 1 not repeatable; 1 unreadable; 1 provider without some",
        "1 of 3 scenarios differs: no-usage.",
        "4 recordings compared, 1 agree, 1 differ as accepted, 1 not repeatable, 1 differ, 1 unreadable.",
    ],
)
def test_everything_that_needs_a_person_is_said(expected: str) -> None:
    assert expected in shown(mixed())


def test_equal_differences_are_one_decision_with_their_number() -> None:
    many = [item(f"openai/s{n}", divergences=(divergence(Kind.TEXT, f"delta[{n}]"),)) for n in range(5)]
    text = shown(result(*many))
    assert "✗ text at delta[*]   breaking, 5 recordings" in text
    assert "in openai/s0, openai/s1, openai/s2 and 2 more" in text
    assert text.count("✗ text at") == 1


def test_what_breaks_comes_before_what_is_merely_visible() -> None:
    visible = divergence(Kind.MODEL_NAME, "model")
    text = shown(result(item("openai/a", divergences=(visible,)), item("openai/b", divergences=(INVENTED,))))
    assert text.index("✗ usage_invented at") < text.index("✗ model_name at")


def test_what_both_paths_share_is_shown_once_and_absence_in_words() -> None:
    same = divergence(Kind.UNFAITHFUL, "error", reference={"shown": 1}, candidate={"shown": 1})
    gone = divergence(Kind.REQUEST_BODY, "body.n", reference=ABSENT, candidate=2)
    text = shown(result(item(divergences=(same, gone))))
    assert 'both       {"shown": 1}' in text
    assert "reference  absent" in text


def test_long_values_and_long_lists_are_cut_with_a_sign() -> None:
    kinds = [Kind.TEXT, Kind.USAGE, Kind.ERROR, Kind.ATTEMPTS, Kind.TELEMETRY]
    found = tuple(divergence(kind, reference="x" * 500) for kind in kinds)
    stopped = verdict(Readiness.BLOCKED, *(f"Reason {n}." for n in range(9)))
    text = shown(result(item(divergences=found), verdicts={"openai": stopped}))
    assert "and 2 more kinds" in text
    assert "x" * 200 not in text.replace("\n", "")
    assert "and 3 more reasons" in text


def test_a_terminal_too_narrow_for_columns_gets_a_line_for_each_recording() -> None:
    text = shown(mixed(), width=28)
    lines = [line.split() for line in text.splitlines()]
    assert ["openai"] not in lines
    assert row(text, "openai/plain").split() == ["openai/plain", "✓"]
    assert row(text, "deepseek/cha").split() == ["deepseek/cha", "–"]  # names are folded, nothing is cut off
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 28


def test_providers_that_do_not_fit_beside_each_other_follow_one_another() -> None:
    lines = [line.split() for line in shown(mixed(), width=40).splitlines()]
    first, then = lines.index(["openai"]), lines.index(["deepseek"])
    assert ["chat", "~", "1"] in lines[first:then]
    assert ["chat", "–"] in lines[then:]
    assert ["openai", "deepseek"] in [line.split() for line in shown(mixed(), width=60).splitlines()]


def test_a_corpus_has_a_line_for_each_provider_with_what_was_found() -> None:
    streams = [
        item("a-1", provider="a.example", scenario="a-1"),
        item("a-2", provider="a.example", scenario="a-2", divergences=(INVENTED,)),
        item("b-1", provider="b.example", scenario="b-1", noise=(BODY,)),
        item("", provider="", scenario="", reference=None, candidate=None, problem="index.jsonl:3: no file"),
    ]
    text = shown(result(*streams))
    assert row(text, "a.example").split() == ["a.example", "2", "1", "usage_invented", "×1"]
    assert row(text, "b.example").split() == ["b.example", "1", "0", "noise", "×1"]
    assert row(text, "(unknown)").split() == ["(unknown)", "1", "0", "unreadable", "×1"]


def test_providers_without_any_recording_are_named_instead_of_filling_columns() -> None:
    text = shown(result(item(), missing=("ark/plain-stream", "glm/plain-stream", "glm/chat")))
    assert "– no recordings at all: ark, glm" in text
    assert "chat" not in text.replace("no recordings", "")


def test_a_situation_that_makes_no_sense_for_a_provider_leaves_an_empty_cell() -> None:
    text = shown(result(item("openai/a"), item("qwen/a"), item("openai/b"), item("qwen/c")))
    assert row(text, "b").split() == ["b", "✓"]


def test_an_output_that_knows_only_ascii_gets_ascii() -> None:
    text = shown(mixed(), encoding="ascii")
    assert row(text, "no-usage").split() == ["no-usage", "X", "usage_invented", "!", "unreadable"]


def test_there_is_no_colour_unless_the_output_is_a_terminal() -> None:
    assert "\x1b" not in shown(mixed())
    coloured = Console(file=io.StringIO(), force_terminal=True, color_system="standard")
    with coloured.capture() as captured:
        print_result(coloured, mixed())
    assert "\x1b[31m" in captured.get()


def test_only_ready_is_a_go() -> None:
    verdicts = {str(each): verdict(each, "All agree.") for each in Readiness}
    words = [line.split()[:2] for line in verdict_lines(verdicts) if line.startswith(("GO  ", "NO-GO  "))]
    assert [name for word, name in words if word == "GO"] == ["ready:"]
    assert [name for word, name in words if word == "NO-GO"] == ["blocked:", "no-evidence:", "rehearsed:"]


def verdict_lines(verdicts: Mapping[str, Verdict], everyone: Collection[str] = ()) -> list[str]:
    stream = io.StringIO()
    print_verdicts(Console(file=stream, width=110), result(item(), verdicts=verdicts), everyone)
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def rehearsed(provider: str, number: int) -> Verdict:
    return verdict(
        Readiness.REHEARSED,
        (number, "scenarios are not recorded live", f": {provider}/plain-stream and others."),
        next=(
            f"llm-contracts record --provider {provider} --missing",
            f"llm-contracts check --provider {provider}",
        ),
    )


def test_equal_verdicts_are_one_block_and_the_answer_with_its_command_stands_last() -> None:
    verdicts = {"openai": rehearsed("openai", 13), "glm": rehearsed("glm", 1)}
    lines = verdict_lines(verdicts)
    assert "NO-GO  rehearsed (2): openai, glm" in lines
    assert "       14 scenarios are not recorded live: openai 13, glm 1." in lines
    assert "NO-GO: nothing differs; 2 providers are not yet recorded live" in lines
    assert "next: llm-contracts record --provider openai --provider glm --missing" in " ".join(lines[-2:])
    assert verdict_lines(verdicts, {"openai", "glm"})[-1] == (
        "next: llm-contracts record --missing && llm-contracts check"
    )


def test_what_stops_providers_for_several_reasons_is_one_plan_that_names_who_needs_each_step() -> None:
    steps = {"zenith": ("record --missing",), "acme": ("review", "record --missing"), "go": ()}
    verdicts = {}
    for name, own in steps.items():
        named = [f"llm-contracts {step}".replace(" --", f" --provider {name} --") for step in own]
        check = [f"llm-contracts check --provider {name}"] if own else []
        readiness = Readiness.READY if not own else Readiness.BLOCKED if len(own) > 1 else Readiness.REHEARSED
        verdicts[name] = verdict(readiness, f"{name} said so", next=(*named, *check))
    found = answer(result(item(), verdicts=verdicts), ["acme", "go", "zenith"])
    who = "--provider zenith --provider acme"
    assert found.next == (
        "llm-contracts review",
        f"llm-contracts record {who} --missing",
        f"llm-contracts check {who}",
    )
    assert answer(result(item(), verdicts=verdicts), ["acme", "zenith"]).next[-1] == "llm-contracts check"
    assert len(found.blocks) == 3


def test_what_only_lacks_recordings_is_amber_and_what_differs_is_red() -> None:
    def colours(verdict: Verdict) -> str:
        console = Console(file=io.StringIO(), force_terminal=True, color_system="standard", width=110)
        with console.capture() as captured:
            print_verdicts(console, result(item(), verdicts={"openai": verdict}))
        return captured.get()

    amber, red = "\x1b[1;33mNO-GO", "\x1b[1;31mNO-GO"
    assert amber in colours(rehearsed("openai", 2))
    assert red not in colours(rehearsed("openai", 2))
    assert red in colours(verdict(Readiness.BLOCKED, "It differs."))


def test_what_was_normalised_is_shown_with_its_numbers() -> None:
    text = shown(
        result(item(normalised={"role": 2}), item("openai/chat", normalised={"role": 1, "header": 9}))
    )
    assert "Normalised, not counted as differences: header ×9, role ×3." in text


def test_many_scenarios_that_agree_are_one_row() -> None:
    quiet = [item(f"{provider}/quiet-{n}") for n in range(13) for provider in ("openai", "glm")]
    text = shown(result(*quiet, item("openai/loud", divergences=(INVENTED,))))
    assert row(text, "loud").split() == ["loud", "✗", "usage_invented"]
    assert row(text, "… 13 more agree").split()[-2:] == ["✓", "✓"]
    assert "quiet-3" not in text


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_however_much_is_accepted_it_fits_two_screens_and_no_window_is_too_narrow(width: int) -> None:
    """Forty scenarios of six providers, half of them accepted for twenty long reasons."""
    providers = ("openai", "deepseek", "qwen", "ernie", "silicon", "gemini")
    accepted = {"divergences": (BODY,)}
    items = [
        item(
            f"{provider}/list-models-server-error-{n}",
            **(
                {**accepted, "waived": {BODY.fingerprint: f"Because of {n}: " + "so it is. " * 20}}
                if n % 2
                else {}
            ),
        )
        for n in range(40)
        for provider in providers
    ]
    text = shown(result(*items, item("openai/loud", divergences=(INVENTED,))), width=width)
    lines = text.splitlines()
    assert row(text, "… 20 more agree")
    assert row(text, "… 20 more as accepted").split()[5:7] == ["~", "20"]
    assert row(text, "~ request_body ×6   Because of 1").endswith("…")
    assert "usage_invented" in text
    assert len(lines) <= 100
    assert max(map(len, lines)) <= width


def test_what_is_piped_has_its_reasons_whole() -> None:
    reason = "Because " + "so it is. " * 20
    text = shown(result(item(divergences=(BODY,), waived={BODY.fingerprint: reason})), width=4_000)
    assert reason.strip() in text


@pytest.mark.parametrize("width", [80, 100, 200])
def test_however_much_differs_it_fits_two_screens_and_the_answer_stands_last(width: int) -> None:
    """Six providers, forty scenarios, a hundred places of twenty kinds: a bare client against another."""
    found = tuple(
        divergence(kind, f"{kind}.place-{n}", reference=f"{'x' * 300}{n}", candidate=f"{'x' * 300}-")
        for kind in [*Kind][:20]
        for n in range(5)
    )
    items = [
        item(f"{provider}/scenario-{n}", divergences=found)
        for provider in ("openai", "deepseek", "qwen", "ernie", "silicon", "glm")
        for n in range(40)
    ]
    verdicts = {
        each.provider: verdict(
            Readiness.BLOCKED,
            (n, "breaking differences", f" (text 1) in {each.id}."),
            (1, "visible differences", f" (order 1) in {n}."),
            next=(f"llm-contracts review --provider {each.provider}",),
        )
        for n, each in enumerate(items[::40], 1000)
    }
    text = shown(result(*items, verdicts=verdicts), width=width)
    assert len(text.splitlines()) <= 100
    assert "To decide (100)" in text
    assert row(text, "silicon").split()[:3] == ["silicon", "40", "0"]
    assert "6,015 breaking differences: openai 1000, deepseek 1001, " in text
    assert "6 visible differences: openai 1, deepseek 1, " in text
    assert text.splitlines()[-1].startswith("next: llm-contracts review ")


def test_places_that_mean_the_same_share_a_sentence_and_what_differs_is_seen() -> None:
    places = [divergence(Kind.FIELDS, f"timings.{name}", candidate=ABSENT) for name in "abcde"]
    long = divergence(Kind.FIELDS, "message", reference="x" * 300 + "old", candidate="x" * 300 + "new")
    text = shown(result(item(divergences=(long, *places)), item("openai/b", divergences=(places[0],))))
    assert "✗ fields at 6 places   visible, 2 recordings" in text
    assert text.count("Something else that chunks or errors carry") == 1
    assert "… and 3 more" in text
    line = next(line for line in text.splitlines() if line.strip().startswith("message  "))
    assert 'old" → …' in line
    assert line.rstrip().endswith('new"')
