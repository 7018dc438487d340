import json

from llm_contracts import Provider

PROVIDERS = [Provider(name="openai", base_url="https://api.openai.com/v1", key_variable="OPENAI_API_KEY")]


def by_hand(call):
    """The chat call that the application has had until now."""
    import httpx

    body = {"model": call.model, "messages": list(call.messages), "stream": True, **call.params}
    headers = {"Authorization": f"Bearer {call.api_key}"}
    url = f"{call.base_url}/chat/completions"
    with httpx.stream("POST", url, json=body, headers=headers, timeout=60) as answer:
        answer.raise_for_status()
        for line in answer.iter_lines():
            if line.startswith("data: ") and line != "data: [DONE]":
                yield json.loads(line.removeprefix("data: "))


CLIENTS = {"by-hand": by_hand}
