"""`python -m llm_contracts`."""

from __future__ import annotations

from llm_contracts.cli import main

if __name__ == "__main__":
    main()
