"""The syrupy edge: one text file per provider and scenario, `snapshots/<provider>/<scenario id>.txt`.

    def test_my_contract(contract, contract_snapshot):
        item = contract.run("openai/plain-stream")
        assert render_lanes(item) == contract_snapshot(name=item.id)

The name given is the place below the snapshots folder. `pytest --snapshot-update` writes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from syrupy.data import SnapshotCollections
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

if TYPE_CHECKING:
    from syrupy.location import PyTestLocation
    from syrupy.types import SnapshotIndex


class LanesExtension(SingleFileSnapshotExtension):  # type: ignore[misc]  # syrupy is read untyped
    """Keeps each snapshot where people look for it, not where the test lives: below `snapshot_dirname`."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        """The folder itself, with no part of the test's name in it."""
        return str(Path(test_location.filepath).parent / cls.snapshot_dirname)

    @classmethod
    def get_file_basename(cls, *, test_location: PyTestLocation, index: SnapshotIndex) -> str:
        """`provider/scenario` as given by name; a snapshot without a name goes by its test's."""
        return index if isinstance(index, str) else str(test_location.snapshot_name)

    @classmethod
    def matches_test_location(cls, *, test_location: PyTestLocation, snapshot_location: str) -> bool:
        """Any test may own any file below the folder: names decide, not folders."""
        return Path(snapshot_location).is_relative_to(cls.dirname(test_location=test_location))

    def discover_snapshots(self, **_kwargs: Any) -> SnapshotCollections:
        """None: files of tests that were not selected would count as unused and be deleted by an update."""
        return SnapshotCollections()


def lanes_extension(folder: Path) -> type[LanesExtension]:
    """The extension for one snapshots folder, as a class because syrupy asks for one."""
    return type("LanesExtension", (LanesExtension,), {"snapshot_dirname": folder})
