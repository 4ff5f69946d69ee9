"""The command line: `dipbench plan`."""

from dipbench.cli import options


def plan(
    suite: options.SuiteName,
    only: options.Only = None,
    methods: options.Methods = None,
    data: options.Data = None,
    scale: options.Scale = "full",
    seed: options.Seed = None,
    seeds: options.Seeds = None,
    device: options.Device = "auto",
    engine: options.Engine = "auto",
    precision: options.Precision = "float32",
    out: options.Out = None,
    data_dir: options.DataDir = None,
    settings: options.Settings = None,
    record: options.Record = None,
    rules: options.Rules = None,
    metrics: options.Metrics = None,
    plugins: options.Plugins = None,
) -> None:
    """Say what a run would take here: time, memory and disk.

    It takes the options of `dipbench run` that say what is computed, and computes no run.
    """
    from dipbench import registry
    from dipbench.data.pinned import use_folder
    from dipbench.running.conditions import Conditions
    from dipbench.running.forecast import as_text, executions_of, forecast_of, side_of
    from dipbench.suites.agenda import parts_of
    from dipbench.suites.edits import Choices
    from dipbench.suites.seeds import seeds_of

    use_folder(data_dir)
    registry.use_folders(plugins)
    on = Conditions.read(device, engine=engine, precision=precision).device
    choices = Choices(only or (), methods or (), data, settings or (), scale, record or (), rules or (), metrics or ())
    parts = parts_of(suite, choices, seeds_of(seed, seeds), precision)
    executions = executions_of(on, engine, precision)
    forecasts = forecast_of(parts, out, on, executions)
    print(as_text(forecasts))
    process = ", but the process: >=" if any(one.memory_is_least for one in forecasts) else ""
    print(
        f"{', '.join(e.precision for e in executions)}: time of the fits one after another on {on} in each precision "
        f"(engine {', '.join(dict.fromkeys(e.engine for e in executions))}); measured now on crops of "
        f"{side_of(on)}x{side_of(on)} (larger where a network needs it) and scaled by the pixels\n"
        f"runs, computed: to be computed, and in the folder of results already, in {precision}\n"
        f"memory: what the largest fit keeps in float32{'' if on.type == 'cuda' else ', with the process itself'}; up "
        "to 40% more for a moment on the way back\n"
        f"what methods without a fit take is not included{process}"
    )
