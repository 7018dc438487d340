"""`python -m tools.upgrades_page FILE RESULT…`: write the page about other releases to FILE, from the JSON
results of `llm-contracts matrix`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from llm_contracts.matrix.markdown import matrix_markdown
from llm_contracts.matrix.plan import ReleasePair
from llm_contracts.matrix.table import Table
from llm_contracts.util.files import replace_file
from llm_contracts.util.text import count

_INTRO = """\
# Upgrades

What the same recordings show under other releases of LiteLLM and openai. Each pair of releases runs in an
environment of its own (uv builds and caches it) and is compared with the pinned pair. Nothing should change
for our own two clients: that is what the adapter is for. For the bare clients the tables show what LiteLLM
itself changes from release to release, and so what an upgrade would bring to an application without the
adapter.

Numbers are scenarios in which an unaccepted difference of a kind occurs. In brackets, against the pinned
pair: `+` new or in other values, `-` gone. *alike, but not as pinned*: both clients still agree, yet do
something else than under the pinned pair.

    make matrix                                             # the pairs of tests/contracts/matrix.toml
    make matrix ARGS="--litellm latest --openai latest"     # before an upgrade
    make matrix ARGS="--litellm 1.93.2,1.101.0 --bisect usage --reference openai --candidate litellm"
    make upgrades                                           # this page; do not edit it

Exit code 1 means that under some pair something unaccepted differs that does not under the pinned one. A
waiver may be limited to releases (`litellm = "<1.101"`, `openai = ">=3"`). A pair that cannot be tried is
listed below its table with the reason. The whole result of each pair stays in `report/matrix/`, with its
packages (`requirements.txt`): `llm-contracts report --report report/matrix/litellm-1.84.8-openai-2.54.0`
makes a page of one.
"""


def page(documents: Sequence[Mapping[str, Any]]) -> str:
    """The page. Each document is a matrix or a bisection.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: a document is neither.
    """
    lines = [_INTRO]
    tables = [Table.from_document(document) for document in documents if "bisect" not in document]
    pairs = dict.fromkeys(cell.pair for table in tables for cell in table.cells)
    for document in documents:
        lines += _bisection(document["bisect"]) if "bisect" in document else _matrix(document, pairs)
    return "\n".join(lines)


def _matrix(document: Mapping[str, Any], pairs: Iterable[ReleasePair]) -> Iterator[str]:
    """One table. `pairs`: those of all tables, of which this one may lack some."""
    table = Table.from_document(document)
    missing = [str(pair) for pair in pairs if pair not in {cell.pair for cell in table.cells}]
    yield f"## `{document['reference']}` against `{document['candidate']}`"
    yield ""
    yield f"{_extent(table)} on {document['checked_at'][:10]}, by"
    yield ""
    yield f"    {document['command']}"
    yield ""
    yield matrix_markdown(table)
    if missing:
        yield f"Not tried for this table: {'; '.join(missing)}."
        yield ""


def _extent(table: Table) -> str:
    providers = dict.fromkeys(name.partition("/")[0] for name in table.pinned.items)
    return f"{len(table.pinned.items)} scenarios ({', '.join(providers)})"


def _bisection(found: Mapping[str, Any]) -> Iterator[str]:
    scenarios, tried = found["scenarios"], found["tried"]
    yield f"## `{found['kind']}` {found['way']} with {found['package']} {found['release']}"
    yield ""
    yield (
        f"In {count(len(scenarios), 'scenario')}, such as {scenarios[0]}. The last release before is "
        f"{found['before']}. Tried between the ends: {', '.join(tried) or 'nothing'}. Found by"
    )
    yield ""
    yield f"    {found['command']}"
    yield ""


def main(arguments: Sequence[str]) -> int:
    """Write the page. 2 for wrong usage, 3 for a file that is not a result."""
    if len(arguments) < 2:  # noqa: PLR2004 - the page and one result
        sys.stderr.write("usage: python -m tools.upgrades_page FILE RESULT…\n")
        return 2
    target, *results = map(Path, arguments)
    documents = []
    for file in results:
        try:
            documents.append(json.loads(file.read_text(encoding="utf-8")))
            page(documents[-1:])
        except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
            sys.stderr.write(f"{file}: is not a result of `llm-contracts matrix` ({type(error).__name__}).\n")
            return 3
    replace_file(target, page(documents))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
