"""Work in other processes: the same result, whatever happens to the processes."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from datetime import date
from pathlib import Path
from typing import Any

import psutil
import pytest

from llm_contracts.parity.result import Result
from llm_contracts.project.config import Project, load_settings
from llm_contracts.project.load import load_project
from llm_contracts.results.document import to_document
from llm_contracts.results.items import Packed, packed
from llm_contracts.run.check import check, context_for, scenario_work
from llm_contracts.run.options import Options
from llm_contracts.run.workers.processes import processes
from llm_contracts.run.workers.threads import worker_pool
from tests.harness.run.projects import CLIENTS, NAMES, make_project

pytestmark = pytest.mark.long

TODAY = date(2026, 11, 22)

DEADLY = (
    CLIENTS
    + """
import os, pathlib, signal

def deadly(call):
    marker = pathlib.Path(__file__).with_name("died")
    if call.provider == "zenith" and (ALWAYS or not marker.exists()):
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    yield from plain(call)

CLIENTS["deadly"] = deadly
"""
)


def loaded(root: Path, paths: str = CLIENTS) -> Project:
    (root / "contracts" / "clients.py").write_text(paths)
    return load_project(load_settings(root))


def run(
    project: Project, count: int, died: Callable[[str], None] = pytest.fail, **options: Any
) -> tuple[Result, list[Packed]]:
    chosen = Options(today=TODAY, timeout=60, **options)
    done: list[Packed] = []
    workers = (
        processes(context_for(project, chosen, scenario_work, packed), count, died=died) if count else None
    )
    return check(project, project.scenarios, chosen, workers=workers, progress=done.append), done


def test_two_processes_give_what_one_gives(tmp_path: Path) -> None:
    project = loaded(make_project(tmp_path))
    both, done = run(project, 2, candidate="shouting")
    one, _ = run(project, 0, candidate="shouting")
    assert to_document(both) == to_document(one)
    assert sorted(each.item.id for each in done) == sorted(NAMES)
    lines = [json.loads(each.line or b"") for each in done]
    assert all(line["observed"]["candidate"]["chunks"] for line in lines)
    assert all(each.item.candidate is None for each in done)  # the line has it


def test_what_a_process_did_when_it_died_is_done_again_and_told(tmp_path: Path) -> None:
    project = loaded(make_project(tmp_path), f"ALWAYS = False\n{DEADLY}")
    told: list[str] = []
    result, _ = run(project, 2, told.append, candidate="deadly")
    assert [(item.id, item.problem, item.ran) for item in result.items] == [(n, None, True) for n in NAMES]
    [sentence] = told
    crash, _, again = sentence.partition(" What it had was run again, one by one: ")
    assert crash.startswith("A worker process ended by SIGKILL while it ran ")
    assert "zenith/plain-stream" in crash
    assert "zenith/plain-stream" in again
    assert "zenith/plain-stream" in sentence


def test_what_kills_every_process_is_a_problem_and_the_rest_still_runs(tmp_path: Path) -> None:
    project = loaded(make_project(tmp_path), f"ALWAYS = True\n{DEADLY}")
    told: list[str] = []
    result, _ = run(project, 1, told.append, candidate="deadly")
    problems = {item.id: item.problem for item in result.items}
    assert [name for name in NAMES if problems[name] is None] == ["acme/plain-stream", "acme/other"]
    assert "SIGKILL" in (problems["zenith/plain-stream"] or "")
    assert (
        told[-1] == "A worker process ended by SIGKILL while it ran zenith/plain-stream."
    )  # nothing that is run a third time


def test_the_command_line_says_that_a_process_died(tmp_path: Path) -> None:
    """Its recordings were run again and agree: without this nobody would hear of it."""
    root = make_project(tmp_path)
    (root / "contracts" / "clients.py").write_text(f"ALWAYS = False\n{DEADLY}")
    command = [sys.executable, "-m", "llm_contracts", "check", "--jobs", "2", "--candidate", "deadly"]
    ran = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120, check=False)
    assert "A worker process ended by SIGKILL while it ran " in " ".join(ran.stdout.split())
    assert "A worker process ended" in (root / "report" / "result.json").read_text()


ENDING = """
import os

def ending(call):
    yield from plain(call)
    os._exit(0)

CLIENTS["ending"] = ending
"""


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_client_that_ends_the_process_never_ends_the_run_with_success(tmp_path: Path, jobs: str) -> None:
    root = make_project(tmp_path)
    (root / "contracts" / "clients.py").write_text(f"{CLIENTS}{ENDING}")
    command = [sys.executable, "-m", "llm_contracts", "check", "--jobs", jobs, "--candidate", "ending"]
    ran = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 1
    assert "3 recordings compared, 0 agree, 3 differ." in ran.stdout
    document = json.loads((root / "report" / "result.json").read_text())
    assert all(item["divergences"] for item in document["items"])


def test_leaving_early_leaves_no_process_behind(tmp_path: Path) -> None:
    project = loaded(make_project(tmp_path))
    workers = processes(
        context_for(project, Options(today=TODAY), scenario_work, packed), 2, died=pytest.fail
    )
    arriving = workers(list(NAMES))
    next(arriving)
    assert isinstance(arriving, Generator)
    arriving.close()
    assert not multiprocessing.active_children()


def test_ctrl_c_ends_the_command_and_all_its_processes(tmp_path: Path) -> None:
    """The interrupt reaches the whole group, as from a terminal."""
    root = make_project(tmp_path)
    command = [sys.executable, "-m", "llm_contracts", "check", "--jobs", "2", "--candidate", "hanging"]
    with subprocess.Popen(
        command, cwd=root, stderr=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as running:
        children: list[psutil.Process] = []
        deadline = time.monotonic() + 60
        while len(children) < 3 and time.monotonic() < deadline:  # two, and what minds their semaphores
            children = psutil.Process(running.pid).children()
            time.sleep(0.05)
        time.sleep(1)
        os.killpg(running.pid, signal.SIGINT)
        _, errors = running.communicate(timeout=30)
    assert (errors.strip(), running.returncode) == (b"", 130)
    assert not psutil.wait_procs(children, timeout=10)[1]


LATE = (
    CLIENTS
    + """
def late(call):
    import lazily
    yield from plain(call)

CLIENTS["late"] = late
"""
)


def test_code_that_only_other_processes_have_loaded_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a verdict rests on includes the modules that a path imports when it is called."""
    root = make_project(tmp_path)
    (root / "lazily.py").write_text("")
    monkeypatch.syspath_prepend(root)
    _, done = run(loaded(root, LATE), 1, candidate="late")
    assert "lazily.py" in {file for each in done for file in each.code}


SETTLED = (
    CLIENTS
    + """
import os

def settled(call):
    for chunk in plain(call):
        for choice in chunk["choices"]:
            if choice["delta"].get("content"):
                choice["delta"]["content"] = f"{sorted(os.sched_getaffinity(0))} "
        yield chunk

CLIENTS["settled"] = settled
"""
)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="here no process is bound to a processor")
@pytest.mark.parametrize("fewer", [0, 1])
def test_as_many_processes_as_processors_have_one_each_and_fewer_go_anywhere(
    tmp_path: Path, fewer: int
) -> None:
    before = os.sched_getaffinity(0)
    here = sorted(before)[:2]
    project = loaded(make_project(tmp_path), SETTLED)
    os.sched_setaffinity(0, here)
    try:
        _, done = run(project, max(len(here) - fewer, 1), candidate="settled")
    finally:
        os.sched_setaffinity(0, before)
    said = {word for each in done for word in _said(each)}
    assert said <= ({str([one]) for one in here} if not fewer or len(here) == 1 else {str(here)})
    assert said


def _said(done: Packed) -> list[str]:
    chunks = json.loads(done.line or b"")["observed"]["candidate"]["chunks"]
    return [chunk["text"].strip() for chunk in chunks if chunk.get("text")]


@pytest.mark.parametrize(
    ("candidate", "jobs", "chosen"),
    [
        ("shouting", 2, "processes"),
        ("litellm-proxy", 2, "processes"),
        ("litellm-proxy", 0, "alone"),
    ],
)
def test_a_gateway_is_started_once_unless_more_processes_are_asked_for(
    tmp_path: Path, candidate: str, jobs: int, chosen: str
) -> None:
    options = Options(today=TODAY, candidate=candidate, jobs=jobs)
    project = loaded(make_project(tmp_path))
    context = context_for(project, options, scenario_work, packed)
    pool = worker_pool(context, project, 100_000, died=pytest.fail)
    assert pool.__qualname__.startswith(f"{chosen}.")
