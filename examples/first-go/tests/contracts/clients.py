"""The clients that are compared, and the providers that they call."""

from llm_contracts import Provider

PROVIDERS = [
    Provider(
        name="local",
        base_url="http://127.0.0.1:8080/v1",
        key_variable="LOCAL_API_KEY",
    ),
]

# Clients of your own, by a name each: functions that take a call and yield what your library yields.
# The built-in ones need no entry; `module:attribute` names any other.
CLIENTS = {}
