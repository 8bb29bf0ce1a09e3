"""tf.contrib.learn.learn_runner: make an experiment, and run what its task in a cluster asks for."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.learn.experiment import Experiment
from thalweg._src.contrib.learn.run_config import RunConfig, TaskType
from thalweg._src.contrib.training.hyperparameters import HParams


def run(
    experiment_fn: Any, output_dir: Any = None, schedule: str | None = None, run_config: Any = None, hparams: Any = None
) -> Any:
    """Make an experiment, by `experiment_fn(output_dir)` or `experiment_fn(run_config, hparams)`, and run its `schedule`:
    the name of a method; by default what the task in a cluster asks for. Raises ValueError and TypeError for other things.
    """
    if output_dir is not None and run_config is not None:
        raise ValueError("Cannot provide both `output_dir` and `run_config`")
    if output_dir is None and run_config is None:
        raise ValueError("Must set value for `output_dir` or `run_config`")
    if not callable(experiment_fn):
        raise TypeError(f'Experiment builder "{experiment_fn}" is not callable.')
    if run_config is not None:
        experiment = _made_of_config(experiment_fn, run_config, hparams)
    else:
        if not output_dir:
            raise ValueError("Must specify an output directory")
        if hparams is not None:
            raise ValueError("Must set `hparams` as None for `experiment_fn` with `output_dir`.")
        experiment = _checked(experiment_fn(output_dir=output_dir))
    schedule = schedule or _default_schedule(run_config or experiment.estimator.config)
    if not hasattr(experiment, schedule):
        raise ValueError(f"Schedule references non-existent task {schedule}")
    task = getattr(experiment, schedule)
    if not callable(task):
        raise TypeError(f"Schedule references non-callable member {schedule}")
    return task()


def _checked(experiment: Any) -> Any:
    if not isinstance(experiment, Experiment):
        raise TypeError(f"Experiment builder did not return an Experiment instance, got {type(experiment)} instead.")
    return experiment


def _made_of_config(experiment_fn: Any, run_config: Any, hparams: Any) -> Any:
    if not isinstance(run_config, RunConfig):
        raise ValueError("`run_config` must be `tf.contrib.learn.RunConfig` instance")
    if not run_config.model_dir:
        raise ValueError("Must specify a model directory `model_dir` in `run_config`.")
    if hparams is not None and not isinstance(hparams, HParams):
        raise ValueError("`hparams` must be `HParams` instance")
    expected = run_config.uid()
    experiment = _checked(experiment_fn(run_config, hparams))
    config = experiment.estimator.config
    if not hasattr(config, "uid"):
        raise RuntimeError(
            "Pass `run_config` argument of the `experiment_fn` to the Estimator in Experiment. It is likely a different "
            "`RunConfig` is passed to `Estimator` or the `config` constructor argument in `Estimator` is not set."
        )
    if config.uid() != expected:
        raise RuntimeError(
            "`RunConfig` instance is expected to be used by the `Estimator` inside the `Experiment`. expected "
            f"{expected}, but got {config.uid()}"
        )
    return experiment


def tune(experiment_fn: Any, tuner: Any) -> None:
    """Run the trials of a tuner. Raises ValueError for one without parameters."""

    def made(run_config: Any, hparams: Any) -> Any:
        if hparams is None:
            raise ValueError("`hparams` cannot be `None`.")
        return _made_of_config(experiment_fn, run_config, hparams)

    while tuner.next_trial():
        tuner.run_experiment(made)


def _default_schedule(config: Any) -> str:
    spec = config.cluster_spec if config else None
    if not spec or sum(len(spec.job_tasks(job)) for job in spec.jobs) <= 1:
        return "train_and_evaluate"
    if not config.task_type:
        raise ValueError("Must specify a schedule")
    schedules = {TaskType.MASTER: "train_and_evaluate", TaskType.PS: "run_std_server", TaskType.WORKER: "train"}
    if config.task_type not in schedules:
        raise ValueError(f"No default schedule for task type: {config.task_type}")
    return schedules[config.task_type]
