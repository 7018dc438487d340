"""A real inference server without a key: llama.cpp's own, with a model of random numbers.

    pip install xllamacpp gguf
    python tools/local_server.py --port 8080

`xllamacpp` brings llama.cpp's server as a wheel. The model has 0.5 MB and is made here: what it says makes no
sense, and how it says it (events, timing, totals, refusals) is the server's own.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

KEY = "local-key"
MODEL = "random"
_WIDTH, _HEADS, _LAYERS, _INNER = 64, 4, 2, 128
_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}<|im_start|>assistant\n"
)


def alphabet() -> list[str]:
    """A character for each byte, as GPT-2 writes them: what can be printed for itself, then others."""
    plain = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte if byte in plain else next(others)) for byte in range(256)]


def write_model(file: Path) -> None:
    """A Llama of two layers and 258 tokens: all bytes, and where a message begins and ends."""
    import numpy as np
    from gguf import GGUFWriter, TokenType

    tokens = [*alphabet(), "<|im_start|>", "<|im_end|>"]
    random = np.random.default_rng(0)
    writer = GGUFWriter(str(file), "llama")
    writer.add_context_length(2048)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(_LAYERS)
    writer.add_feed_forward_length(_INNER)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(_WIDTH // _HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_types([TokenType.NORMAL] * 256 + [TokenType.CONTROL] * 2)
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(256)
    writer.add_eos_token_id(257)
    writer.add_chat_template(_TEMPLATE)

    def add(name: str, *shape: int) -> None:
        numbers: Any = random.standard_normal(shape) * 0.3 if len(shape) > 1 else np.ones(shape)
        writer.add_tensor(name, numbers.astype(np.float32))

    add("token_embd.weight", len(tokens), _WIDTH)
    add("output.weight", len(tokens), _WIDTH)
    add("output_norm.weight", _WIDTH)
    for layer in range(_LAYERS):
        for name in ("attn_norm", "ffn_norm"):
            add(f"blk.{layer}.{name}.weight", _WIDTH)
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            add(f"blk.{layer}.{name}.weight", _WIDTH, _WIDTH)
        add(f"blk.{layer}.ffn_gate.weight", _INNER, _WIDTH)
        add(f"blk.{layer}.ffn_up.weight", _INNER, _WIDTH)
        add(f"blk.{layer}.ffn_down.weight", _WIDTH, _INNER)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def serve(model: Path, port: int) -> Any:
    """llama.cpp's server in this process, as long as what is returned lives; see its `listening_address`."""
    import xllamacpp

    settings = xllamacpp.CommonParams()
    settings.model.path = str(model)
    settings.model_alias = {MODEL}
    settings.port = port
    settings.n_ctx = 2048
    settings.n_parallel = 2
    settings.n_predict = 64  # the most that an answer has: random words come to no end of themselves
    settings.cpuparams.n_threads = 1
    settings.api_keys = [KEY]
    settings.verbosity = -1
    return xllamacpp.Server(settings)


def main() -> None:
    """Serve until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(description="A real inference server without a key.")
    parser.add_argument("--port", type=int, default=8080)
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "random.gguf"
        write_model(model)
        server = serve(model, parser.parse_args().port)
        sys.stdout.write(f"{server.listening_address}/v1   key {KEY}   model {MODEL}\n")
        sys.stdout.flush()
        stop.wait()


if __name__ == "__main__":
    main()
