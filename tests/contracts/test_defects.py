"""The ledger as proof: each known defect, put back, is reported with the right kind, and never without it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from llm_adapter.requests import Outgoing
from llm_contracts import Client, Kind
from llm_contracts.parity.waivers import Waivers
from llm_contracts.project.recorded_call import REPLAY_KEY
from llm_contracts.util.versions import versions
from llm_contracts.wire.scrub import find_secrets
from tests.adapter.provider import answer, running
from tests.contracts.clients import CLIENTS
from tests.contracts.defects.defect import Defect
from tests.contracts.defects.ledger import DEFECTS, ELSEWHERE, IDS, THOUGHT_UP
from tests.contracts.defects.page import page
from tests.contracts.defects.proof import Proof, prove, unlike
from tests.contracts.defects.putting import sending
from tests.contracts.defects.shipped_requests import usage_not_asked_for

if TYPE_CHECKING:
    from llm_contracts import Contract

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
each = pytest.mark.parametrize("defect", DEFECTS, ids=[defect.name for defect in DEFECTS])


@pytest.fixture(scope="module")
def proofs(request: pytest.FixtureRequest, contract: Contract) -> Mapping[str, Proof]:
    """The defects of the tests that were selected, run side by side, once for all tests."""
    selected = [getattr(test, "callspec", None) for test in request.session.items]
    chosen = {spec.params["defect"].name for spec in selected if spec is not None and "defect" in spec.params}
    return prove(contract, tuple(defect for defect in DEFECTS if defect.name in chosen))


@each
def test_a_defect_is_reported_as_what_it_is(defect: Defect, proofs: Mapping[str, Proof]) -> None:
    assert unlike(proofs[defect.name].broken, defect.reported) == []


@each
def test_without_the_defect_nothing_is_reported(defect: Defect, proofs: Mapping[str, Proof]) -> None:
    sound = proofs[defect.name].sound
    assert unlike(sound, ()) == []
    assert unlike(sound, defect.reported) != []
    assert sound.noise == ()


# What no comparison of streams can show


@dataclass(frozen=True, kw_only=True, slots=True)
class Fresh:
    """What three fresh processes saw: LiteLLM imported, LiteLLM called plainly, and our clients."""

    imported: Mapping[str, Any]
    plain: Mapping[str, Any]
    ours: Mapping[str, Any]


@pytest.fixture(scope="module")
def fresh() -> Iterator[Fresh]:
    with running() as provider, ThreadPoolExecutor() as pool:
        provider.say(answer(*"abcdefgh"))
        ways = ("imported", "plain", "ours")
        seen = dict(zip(ways, pool.map(lambda way: _fresh(way, provider.url), ways), strict=True))
        yield Fresh(**seen)


def _fresh(way: str, url: str) -> Mapping[str, Any]:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.contracts.defects.fresh", way, url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    told = next(line for line in ran.stderr.splitlines() if line.startswith('{"text"'))
    seen: dict[str, Any] = json.JSONDecoder().raw_decode(told)[0]  # warnings may follow on the same line
    return seen


def test_under_a_running_loop_only_plain_litellm_starts_another(fresh: Fresh) -> None:
    """R03: nothing fails visibly, the text is whole; in a worker these fail by the thousand."""
    assert fresh.plain["text"] == fresh.ours["text"] == "abcdefgh"
    assert fresh.plain["loops refused"] >= len("abcdefgh")
    assert fresh.ours["loops refused"] == 0


def test_importing_litellm_plainly_reaches_for_the_network_and_ours_does_not(fresh: Fresh) -> None:
    """R19."""
    assert fresh.imported["reached"] != []
    assert fresh.ours["reached"] == []


def test_totals_that_are_no_longer_asked_for_leave_their_waiver_without_use(contract: Contract) -> None:
    """R18: the legacy path never asked, so that not asking agrees with it; but asking has been decided."""
    assert _complaints(contract, CLIENTS["adapter-litellm"]) == ()
    (complaint,) = _complaints(contract, sending(usage_not_asked_for))
    assert "accepts nothing that occurs" in complaint


def _complaints(contract: Contract, candidate: Client) -> tuple[str, ...]:
    item = contract.run("qwen/no-usage", candidate=candidate)
    used = versions(contract.project.settings.distributions)
    (item,) = contract.waivers.applied((item,), used)
    assert item.unwaived == ()
    about = Waivers(
        entries=tuple(
            entry
            for entry in contract.waivers.entries
            if entry.where == "body.stream_options" and entry.covers(item.provider, item.scenario)
        )
    )
    return about.unused((item,), used)


def test_a_key_in_the_log_is_found(contract: Contract, caplog: pytest.LogCaptureFixture) -> None:
    """R23: whatever any logger says, down to the last detail, holds no key."""
    caplog.set_level(logging.DEBUG)
    assert _logged(contract, CLIENTS["adapter-litellm"], caplog) == []
    assert _logged(contract, sending(logged_with_its_key), caplog) == ["OPENAI_API_KEY"]


def logged_with_its_key(outgoing: Outgoing) -> Outgoing:
    request = {"model": outgoing.model, "api_key": outgoing.api_key, **outgoing.params}
    logging.getLogger("llm_adapter").info("calling with %s", request)
    return outgoing


def _logged(contract: Contract, candidate: Client, caplog: pytest.LogCaptureFixture) -> list[str]:
    caplog.clear()
    for scenario in ("openai/plain-stream", "openai/wrong-key"):
        contract.run(scenario, candidate=candidate)
    assert caplog.records
    return find_secrets(caplog.text.encode(), {"OPENAI_API_KEY": REPLAY_KEY})


# The table itself


def test_every_defect_that_was_shipped_is_proven() -> None:
    proven = {*(defect.id for defect in DEFECTS), *(row.id for row in ELSEWHERE)}
    assert [shipped for shipped in IDS if shipped not in proven] == []


def test_names_are_unique_and_at_least_ten_defects_are_our_own() -> None:
    names = [defect.name for defect in DEFECTS]
    assert len(names) == len(set(names))
    assert len({defect.id for defect in THOUGHT_UP}) >= 10


def test_each_kind_of_difference_is_reported_for_some_defect() -> None:
    assert {kind for defect in DEFECTS for kind, _ in defect.reported} == set(Kind)


def test_each_defect_says_in_a_sentence_what_it_is() -> None:
    assert [defect.name for defect in DEFECTS if not defect.what] == []


def test_what_is_proven_elsewhere_has_a_test_of_that_name() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert [row.proof for row in ELSEWHERE if f"def {row.proof}(" not in tests] == []


def test_the_page_is_up_to_date() -> None:
    """Otherwise: `python -m tests.contracts.defects.page docs/ledger.md`."""
    assert (ROOT / "docs" / "ledger.md").read_text(encoding="utf-8") == page()
