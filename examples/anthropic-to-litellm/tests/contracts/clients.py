import os

from llm_contracts import Provider

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # LiteLLM downloads nothing when it is imported
PROVIDERS = [
    Provider(name="anthropic", base_url="https://api.anthropic.com", key_variable="ANTHROPIC_API_KEY")
]


def litellm_completion(call):
    """Claude as LiteLLM's front page calls it: answers in OpenAI's shape."""
    from litellm import completion

    return completion(
        model=f"anthropic/{call.model}",
        messages=[dict(message) for message in call.messages],
        api_base=call.base_url,
        api_key=call.api_key,
        stream_options={"include_usage": True},
        **call.params,
    )


CLIENTS = {"litellm-completion": litellm_completion}
