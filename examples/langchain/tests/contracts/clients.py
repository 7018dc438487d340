from llm_contracts import Provider

PROVIDERS = [
    Provider(name="openai", base_url="https://api.openai.com/v1", key_variable="OPENAI_API_KEY"),
]


def before(call):
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(model=call.model, base_url=call.base_url, api_key=call.api_key)
    return model.bind(**call.params).stream([dict(message) for message in call.messages])


def after(call):
    from langchain_litellm import ChatLiteLLM

    route = {"custom_llm_provider": "openai", "api_base": call.base_url, "api_key": call.api_key}
    model = ChatLiteLLM(model=call.model, **route)
    return model.bind(**call.params).stream([dict(message) for message in call.messages])


CLIENTS = {"langchain-openai": before, "langchain-litellm": after}
