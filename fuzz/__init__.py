"""What must hold for any bytes at all.

Each function of `targets` takes bytes and raises `AssertionError`, or whatever goes wrong, where a promise is
broken. Tests call them with bytes that hypothesis chooses (`tests/harness/fuzz`, a few seconds). For hours
rather than seconds, atheris chooses them, guided by which lines they reach:

    pip install atheris         # not locked: it has wheels for Linux only
    python -m fuzz              # every target for a minute each
    python -m fuzz cassette --seconds 3600

What atheris found stays in `.fuzz/TARGET`, so that the next run goes on from there. A finding is written to a
file that is named at the end; `python -m fuzz TARGET FILE` plays it again, without atheris.
"""
