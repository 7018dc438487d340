from llm_contracts import Scenario


def asks(*content):
    return {
        "provider": "openai",
        "model": "gpt-5-nano",
        "messages": ({"role": "user", "content": list(content)},),
    }


def tool(name):
    place = {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]}
    return {"type": "function", "function": {"name": name, "parameters": place}}


TEXT = {"type": "text", "text": "What is the weather at this place?"}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/gif;base64,R0lGODlhAQABAAAAACw="}}
ANSWER = {"type": "object", "properties": {"city": {"type": "string"}}, "additionalProperties": False}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": ANSWER}}
USAGE = {"stream_options": {"include_usage": True}}
SCENARIOS = [
    Scenario(
        id="parallel-tool-calls", params={"tools": [tool("weather"), tool("time")], **USAGE}, **asks(TEXT)
    ),
    Scenario(id="schema", script="json-mode", params={"response_format": SCHEMA, **USAGE}, **asks(TEXT)),
    Scenario(id="image", script="content-parts", params=USAGE, **asks(TEXT, IMAGE)),
]
