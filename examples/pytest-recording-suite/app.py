from openai import OpenAI


def answer(question):
    chunks = OpenAI(max_retries=0).chat.completions.create(
        model="gpt-5-nano", messages=[{"role": "user", "content": question}], stream=True
    )
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
