"""Speed, measured side by side. `python -m benchmarks` lists and runs all of it.

    python -m benchmarks                            every benchmark, quickly
    python -m benchmarks --full                     with more rounds and larger input
    python -m benchmarks cassette_reading           one of them, or several by name
    python -m benchmarks --list                     what there is
    python -m benchmarks edge_delay --json FILE     the figures as JSON, too

A benchmark is a module of this package with one function:

    def run(size: Size) -> Iterable[Figure]: ...

The first sentence of its docstring is its title. It makes its own input, below a temporary folder and on the
loopback, and yields a `Figure` for each number that somebody can act on, as soon as it knows it.

Rules, because seconds of one machine mean nothing on another:

* Compare side by side, in one run. `measure.race` interleaves its contenders round by round, so that whatever
  else the machine does meets all of them, and gives the ratio within each round.
* Show the middle and the spread. A figure has the median, the lowest and the highest round. Where the rounds
  are far apart, the machine was busy, and the figure says little.
* A figure may name what is promised of it (`at_most`). The run fails where the median breaks the promise.
* `Size.QUICK` takes a few seconds, for everybody's machine; `Size.FULL` takes as long as it needs.

No test measures time; what these modules compute is tested in `tests/benchmarks`.
"""
