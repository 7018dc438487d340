from openai import APIStatusError, OpenAI

TEA = [{"role": "user", "content": "Name a tea."}]
ASK = {"model": "random", "messages": TEA, "stream": True, "max_tokens": 24, "temperature": 0}
USAGE = {"stream_options": {"include_usage": True}}


def ask(key="local-key", **more):
    try:
        list(OpenAI(api_key=key, max_retries=0).chat.completions.create(**ASK, **more))
    except APIStatusError as error:
        print(error.status_code)


for more in ({}, USAGE, {**USAGE, "n": 2}, {"logprobs": True, "top_logprobs": 2}, {"n": 99}):
    ask(**more)
ask(key="a wrong one")
