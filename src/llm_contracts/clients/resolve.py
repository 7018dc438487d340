"""Find a client by name: a built-in one, one that the project registers, or any `module:attribute`."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from typing import Any, cast

from llm_contracts.clients.builtin import BUILTIN, LIBRARIES
from llm_contracts.clients.call import Client
from llm_contracts.clients.command import CommandClient
from llm_contracts.clients.libraries.litellm import offline_litellm


class ClientError(Exception):
    """A client's name leads nowhere. The message says why, and what would work."""


def resolve(name: str, project: Mapping[str, Client]) -> Client:
    """The client of this name.

    Args:
        name: a built-in name, a key of `project`, or `module:attribute`.
        project: the clients that the project registers. A name that hides a built-in one is refused: scripts
            rely on what `openai` and `litellm` mean.

    Raises:
        ClientError: nothing has this name; it lists the nearest ones. Or the library of a built-in client is
            not installed, or the module cannot be imported, has no such attribute, or that is not callable;
            or a program cannot be found.
    """
    hidden = sorted(BUILTIN.keys() & project.keys())
    if hidden:
        raise ClientError(
            f"the project's clients redefine the built-in name {hidden[0]!r}: choose another name"
        )
    known = {**BUILTIN, **project}
    if name in BUILTIN:
        plain = name.removesuffix("-async")
        library = LIBRARIES.get(plain, plain)
        if not _is_installed(library):
            extra = library if library in BUILTIN else plain
            raise ClientError(
                f"the client {name!r} needs the library {library}: pip install 'llm-contracts[{extra}]'"
            )
    if name in known:
        client = known[name]
        if isinstance(client, CommandClient) and client.missing:
            raise ClientError(f"the client {name!r} needs the program {client.missing!r}, which is not there")
        return client
    if ":" in name:
        return _imported(name)
    names = sorted(known)
    nearest = get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(nearest)}?" if nearest else f"known are {', '.join(names)}"
    raise ClientError(f"no client is called {name!r}: {hint} (or give module:attribute)")


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # a package above it is missing
        return False


def _imported(name: str) -> Client:
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise ClientError(f"{name!r} is not a module:attribute: one of the two is empty")
    if "/" in module_name or module_name.endswith(".py"):
        raise ClientError(
            f"{name!r}: {module_name} is a file; name the module, as in shop.llm:{name.split(':')[1]}"
        )
    try:
        with offline_litellm():
            value: Any = import_module(module_name)
    except Exception as error:
        failed = f"importing {module_name} failed: {type(error).__name__}: {error}"
        raise ClientError(f"{name!r}: {failed}") from error
    for part in attribute.split("."):
        if not hasattr(value, part):
            nearest = get_close_matches(part, [n for n in dir(value) if not n.startswith("_")], n=3)
            hint = f"; did you mean {' or '.join(nearest)}?" if nearest else ""
            raise ClientError(f"{name!r}: {module_name} has no attribute {attribute!r}{hint}")
        value = getattr(value, part)
    if not callable(value):
        raise ClientError(f"{name!r} is an object of type {type(value).__name__}, not a callable client")
    return cast("Client", value)
