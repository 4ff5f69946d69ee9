"""Jobs to results: the runner, processes and turns, one run and its trial, checkpoints, and what it will all take."""
