"""The pytest plugin as people use it: in a project of their own, with the real runner."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import llm_contracts.testing  # noqa: F401 - else each run imports it anew
from tests.harness.run.projects import make_project

pytestmark = pytest.mark.long

TESTS = """
import pytest

def test_parity(contract):
    contract.assert_parity(contract.run("acme/plain-stream"))

def test_difference(contract):
    item = contract.run("acme/plain-stream", candidate="shouting")
    with pytest.raises(AssertionError, match="breaking text at"):
        contract.assert_parity(item)

def test_a_callable_and_a_row(contract):
    def silent(call):
        return iter(())
    row = contract.project.scenarios[1]
    item = contract.run(row, candidate=silent)
    assert item.candidate.client == "silent"
    assert item.unwaived

def test_what_did_not_run(contract):
    from dataclasses import replace
    item = replace(contract.run("acme/plain-stream"), reference=None, candidate=None)
    with pytest.raises(AssertionError, match="did not run"):
        contract.assert_parity(item)

def test_noise(contract):
    with pytest.raises(AssertionError, match="noise: text"):
        contract.assert_parity(contract.run("acme/other", reference="fickle"))

def test_waivers_are_about_the_projects_own_two_clients(contract):
    item = contract.run("zenith/plain-stream", candidate="shouting")
    assert item.divergences
    assert not item.waived

def test_unknown(contract):
    with pytest.raises(Exception, match="Did you mean acme/plain-stream"):
        contract.run("acme/plain-strem")
"""

WAIVERS = """
[[waiver]]
kind = "text"
provider = "zenith"
scenario = "*"
reason = "of the project's own two clients"
by = "Ada"
until = 2027-01-31
"""

SNAPSHOTS = """
import pytest

@pytest.mark.parametrize("name", ["acme/plain-stream", "zenith/plain-stream"])
def test_looks(contract, contract_snapshot, name):
    assert contract.render(contract.run(name)) == contract_snapshot(name=name)
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    # Loading all plugins of this environment takes longer than these tests.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    root = make_project(pytester.path)
    (root / "conftest.py").write_text("")
    (root / "contracts" / "waivers.toml").write_text(WAIVERS)
    return root


PLUGINS = ("-p", "no:cacheprovider", "-p", "llm_contracts", "-p", "recording", "-p", "syrupy")


def pytest_in(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """A run in this process: a process of its own takes ten times as long."""
    return pytester.runpytest_inprocess("-q", *PLUGINS, *arguments)


def pytest_apart(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """A run in a process of its own, for what stays behind in one."""
    return pytester.runpytest_subprocess("-q", *PLUGINS, *arguments, timeout=90)


@pytest.mark.parametrize("engine", ["wire", "vcr"])
def test_the_fixture_runs_recordings_over_either_engine(
    pytester: pytest.Pytester, project: Path, engine: str
) -> None:
    pytester.makepyfile(test_mine=TESTS)
    pytest_in(pytester, "--llm-contracts-engine", engine).assert_outcomes(passed=7)


def test_an_unreadable_recording_fails_the_test_and_is_named(
    pytester: pytest.Pytester, project: Path
) -> None:
    (project / "cassettes" / "acme" / "plain-stream.yaml").write_text("")
    pytester.makepyfile(test_mine=TESTS.split("def test_difference", maxsplit=1)[0])
    result = pytest_in(pytester)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*AssertionError: *plain-stream.yaml*"])


def test_snapshots_are_one_file_a_scenario_and_show_what_changed(
    pytester: pytest.Pytester, project: Path
) -> None:
    pytester.makepyfile(test_looks=SNAPSHOTS)
    pytest_in(pytester).assert_outcomes(failed=2)  # nothing is written unasked
    pytest_in(pytester, "--snapshot-update").assert_outcomes(passed=2)
    files = sorted(file.relative_to(project).as_posix() for file in project.rglob("snapshots/**/*.txt"))
    assert files == ["snapshots/acme/plain-stream.txt", "snapshots/zenith/plain-stream.txt"]
    pytest_in(pytester).assert_outcomes(passed=2)
    paths = project / "contracts" / "clients.py"
    paths.write_text(paths.read_text().replace('"same": same', '"same": shouting'))
    result = pytest_in(pytester)
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(['*"hel"*"HEL"*'])


def test_an_update_of_some_snapshots_leaves_the_others_alone(
    pytester: pytest.Pytester, project: Path
) -> None:
    pytester.makepyfile(test_looks=SNAPSHOTS)
    pytest_in(pytester, "--snapshot-update").assert_outcomes(passed=2)
    orphan = project / "snapshots" / "acme" / "gone.txt"
    orphan.write_text("of a scenario that is no more")
    pytest_in(pytester, "--snapshot-update", "-k", "zenith").assert_outcomes(passed=1, deselected=1)
    assert orphan.is_file()
    assert (project / "snapshots" / "acme" / "plain-stream.txt").is_file()


def test_a_foreign_project_notices_nothing(pytester: pytest.Pytester) -> None:
    """The plugin is loaded into every run of the environment: it must not bring its own imports along."""
    pytester.makepyfile(
        test_foreign="""
        import sys

        def test_nothing_was_loaded():
            ours = {name for name in sys.modules if name.startswith("llm_contracts")}
            assert ours <= {"llm_contracts", "llm_contracts.pytest_plugin"}
        """
    )
    pytester.runpytest_subprocess("-q", "-p", "no:recording", timeout=90).assert_outcomes(passed=1)


ONE = """
def test_parity(contract):
    contract.assert_parity(contract.run("acme/plain-stream"))
"""


def test_pytest_vcr_may_be_installed_too(pytester: pytest.Pytester, project: Path) -> None:
    """pytest-recording stops a run in which a plugin has the name of pytest-vcr; here vcrpy itself has it."""
    pytester.makepyfile(test_mine=ONE)
    pytest_in(pytester, "-p", "vcr", "--llm-contracts-engine", "vcr").assert_outcomes(passed=1)
    refused = pytest_in(pytester, "-p", "vcr", "--block-network")  # what cannot be had is not passed over
    assert refused.ret == pytest.ExitCode.INTERNAL_ERROR


@pytest.mark.parametrize(
    ("mark", "options"),
    [
        ("", ("--block-network", "--allowed-hosts=192.0.2.7")),
        ('@pytest.mark.block_network(allowed_hosts=["192.0.2.7"])\n', ()),
    ],
)
def test_a_blocked_network_leaves_loopback_to_the_clients_and_nothing_else(
    pytester: pytest.Pytester, project: Path, mark: str, options: tuple[str, ...]
) -> None:
    blocked = """
    with socket.socket() as lonely, pytest.raises(RuntimeError, match="Network is disabled"):
        lonely.connect(("192.0.2.1", 443))
"""
    of_others = "def test_other():" + blocked.replace("192.0.2.1", "127.0.0.1")
    pytester.makepyfile(test_mine=f"import socket, pytest\n{mark}{ONE.lstrip()}{blocked}\n{mark}{of_others}")
    pytest_apart(pytester, *options).assert_outcomes(passed=2)


def test_a_run_without_sockets_is_told_what_to_do(pytester: pytest.Pytester, project: Path) -> None:
    """As pytest-socket's --disable-socket does it."""
    pytester.makepyfile(test_mine=ONE)
    (project / "conftest.py").write_text("""
import socket

class Guarded(socket.socket):
    def __new__(cls, *args, **kwargs):
        raise RuntimeError("A test tried to use socket.socket.")

def pytest_runtest_setup():
    socket.socket = Guarded
""")
    result = pytest_apart(pytester)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*--disable-socket closes that, too. Run with --allow-hosts=127.0.0.1, which*"]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    pytest_apart(pytester, "--llm-contracts-engine", "vcr").assert_outcomes(passed=1)


def test_the_suite_itself_cannot_reach_the_network() -> None:
    import socket

    with pytest.raises(PermissionError, match=r"tried to reach api\.example\.com"):
        socket.create_connection(("api.example.com", 443), timeout=1)
    with socket.socket() as lonely, pytest.raises(PermissionError, match=r"192\.0\.2\.1"):
        lonely.connect(("192.0.2.1", 443))


def test_the_plugin_is_registered_under_its_name(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.pluginmanager.has_plugin("llm_contracts")
    assert "llm_contracts.pytest_plugin" in sys.modules
