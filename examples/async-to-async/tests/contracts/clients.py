import asyncio
import os

from llm_contracts import Provider

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # LiteLLM downloads nothing when it is imported
PROVIDERS = [Provider(name="openai", base_url="https://api.openai.com/v1", key_variable="OPENAI_API_KEY")]


async def all_at_once(ask):
    """What the application does: ten questions at once, and the answers in order."""
    questions = [{"role": "user", "content": f"Say {number}"} for number in range(10)]
    for answer in await asyncio.gather(*(ask([question]) for question in questions)):
        yield answer


async def openai_ten(call):
    from openai import AsyncOpenAI

    async with AsyncOpenAI(base_url=call.base_url, api_key=call.api_key) as client:

        async def ask(messages):
            return await client.chat.completions.create(model=call.model, messages=messages)

        async for answer in all_at_once(ask):
            yield answer


async def litellm_ten(call):
    from litellm import acompletion

    async def ask(messages):
        model = f"openai/{call.model}"
        return await acompletion(model=model, messages=messages, base_url=call.base_url, api_key=call.api_key)

    async for answer in all_at_once(ask):
        yield answer


CLIENTS = {"openai-ten": openai_ten, "litellm-ten": litellm_ten}
