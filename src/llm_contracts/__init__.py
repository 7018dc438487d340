"""Record once from a provider, replay to two clients, compare everything, let people decide.

    wire < paths < parity < views        bytes, clients, differences, people
    scenario, config, run, record        rows, settings, composition
    cli, pytest_plugin                   the ways in

Importing the package imports nothing else; take what you need from the modules.
"""
