"""finish_reason at choices[1].finish_reason: litellm says nothing, openai ["length"].

pip install openai litellm && python second-finish.py
"""

import http.server, os, threading
from importlib.metadata import version

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # or it asks GitHub for prices
import litellm, openai

ASK = {
    "model": "m-1",
    "messages": [{"role": "user", "content": "hi"}],
    "stream": True,
    "stream_options": {"include_usage": True},
}
STATUS, TYPE = 200, "text/event-stream"
BODY = (
    b'data: {"choices": [{"finish_reason": "stop"}]}\n'
    b"\n"
    b'data: {"choices": [{"index": 1, "finish_reason": "length"}]}\n'
    b"\n"
    b'data: {"usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}}\n'
    b"\n"
)


class Provider(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.send_response(STATUS)
        self.send_header("Content-Type", TYPE)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_):
        pass


def show(name, call):
    print(f"--- {name} {version(name)}")
    try:
        answer = call()
        for part in [answer] if hasattr(answer, "model_dump") or isinstance(answer, dict) else answer:
            dump = getattr(part, "model_dump", lambda **_: part)
            print(dump(exclude_none=True, exclude={"created", "id", "object"}))
    except Exception as error:
        print(f"{type(error).__module__}.{type(error).__name__}: {error}"[:300])


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/v1"
show(
    "openai",
    lambda: openai.OpenAI(base_url=url, api_key="none", max_retries=0).chat.completions.create(**ASK),
)
show(
    "litellm",
    lambda: litellm.completion(
        api_base=url, api_key="none", max_retries=0, custom_llm_provider="openai", **ASK
    ),
)
