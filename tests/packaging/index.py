"""A package index in a folder, with wheels written by hand, and programs that reach no other."""

from __future__ import annotations

import base64
import hashlib
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Index:
    """The folder of the index."""

    folder: Path

    def add(
        self,
        name: str,
        version: str,
        *,
        requires: Sequence[str] = (),
        extras: Sequence[str] = (),
        program: str | None = None,
    ) -> str:
        """Publish a release, and return its line for a lock file.

        Args:
            name: the distribution, which has one module of the same name.
            version: its release.
            requires: what it needs.
            extras: the extras it offers.
            program: the text of a program of the same name.
        """
        place = self.folder / name
        place.mkdir(parents=True, exist_ok=True)
        wheel = place / f"{name}-{version}-py3-none-any.whl"
        about = [*(f"Requires-Dist: {line}" for line in requires), *(f"Provides-Extra: {e}" for e in extras)]
        info = f"{name}-{version}.dist-info"
        files = {
            f"{name}.py": f"version = {version!r}\n",
            f"{info}/METADATA": "\n".join(
                ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *about, ""]
            ),
            f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            **({f"{name}-{version}.data/scripts/{name}": program} if program else {}),
        }
        files[f"{info}/RECORD"] = "".join(
            [*(_record(path, text) for path, text in files.items()), f"{info}/RECORD,,\n"]
        )
        with zipfile.ZipFile(wheel, "w") as archive:
            for path, text in files.items():
                entry = zipfile.ZipInfo(path)
                entry.external_attr = 0o100755 << 16  # a program must be executable
                archive.writestr(entry, text)
        links = "".join(f'<a href="{each.name}">{each.name}</a>\n' for each in sorted(place.glob("*.whl")))
        (place / "index.html").write_text(links)
        return f"{name}=={version} \\\n    --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"

    def environ(self, path: Path) -> Mapping[str, str]:
        """Variables under which pip and uv know this index alone.

        Args:
            path: the one folder with programs.
        """
        home = self.folder.parent
        return {
            "PATH": str(path),
            "HOME": str(home),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": self.folder.as_uri(),
            "UV_NO_CONFIG": "1",
            "UV_CACHE_DIR": str(home / "uv-cache"),
            "UV_DEFAULT_INDEX": self.folder.as_uri(),
        }


def _record(path: str, text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
    return f"{path},sha256={digest},{len(text.encode())}\n"
