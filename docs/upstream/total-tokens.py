"""usage at usage.total_tokens: litellm says 18, openai 40.

pip install openai litellm && python total-tokens.py"""
import http.server, importlib.metadata, os, threading

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # or it asks GitHub for prices
import litellm, openai

ASK = {'model': 'm-1', 'messages': [{'role': 'user', 'content': 'hi'}], 'stream': True, 'stream_options': {'include_usage': True}}
ANSWER = (
    b'HTTP/1.1 200\r\ncontent-type: text/event-stream; charset=utf-8\r\n\r\n'
    b'data: {"choices": [{"finish_reason": "stop"}]}\n\n'
    b'data: {"usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 40}}\n\n'
)

class Provider(http.server.BaseHTTPRequestHandler):
    log_message = lambda *_: None

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.wfile.write(ANSWER)

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/v1"
for library, call in {
    "openai": lambda: openai.OpenAI(base_url=url, api_key='none').chat.completions.create(**ASK),
    "litellm": lambda: litellm.completion(api_base=url, api_key='none', custom_llm_provider='openai', **ASK),
}.items():
    print("---", library, importlib.metadata.version(library))
    try:
        for part in call():
            print(part.model_dump(exclude_none=True, exclude={'created', 'id', 'object'}))
    except Exception as error:
        print(f"{type(error).__module__}.{type(error).__name__}: {error}"[:300])
