from parts import (
    artifacts,
    experiments,
    logged_models,
    read_your_writes,
    refusals,
    registry,
    run_search,
    runs,
    traces,
    training,
)

PARTS = [experiments, runs, artifacts, run_search, read_your_writes, refusals, registry, logged_models, traces, training]
