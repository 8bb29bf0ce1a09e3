"""tf.contrib.factorization.WALSMatrixFactorization: factors of a sparse matrix, as an estimator that sweeps rows and columns in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from thalweg._src.contrib.factorization.wals import WALSModel
from thalweg._src.contrib.learn.estimator import Estimator
from thalweg._src.contrib.learn.modes import ModeKeys, ModelFnOps
from thalweg._src.core.graph import get_default_graph
from thalweg._src.lib.global_step import get_global_step
from thalweg._src.lib.hooks.hook import SessionRunArgs, SessionRunHook
from thalweg._src.lib.summary import summary
from thalweg._src.ops import basic
from thalweg._src.ops.control import control_flow
from thalweg._src.ops.late import array, math
from thalweg._src.ops.stateful.assigning import assign, assign_add
from thalweg._src.ops.stateful.variables import Variable
from thalweg._src.ops.updates import updating


class _Sweeps(SessionRunHook):
    """Runs the step of the rows or of the columns, and what must be done between sweeps."""

    def __init__(self, state: _State, init_op: Any, prepare: tuple[Any, Any], steps: tuple[Any, Any], switch: Any):
        self._state, self._init_op, self._prepare, self._steps, self._switch = state, init_op, prepare, steps, switch
        self._begun = False

    def before_run(self, run_context: Any) -> Any:
        session = run_context.session
        done = session.run(self._state.is_done)
        if not self._begun:
            session.run(self._init_op)
        if done:
            session.run(self._switch)
        side = 0 if session.run(self._state.is_row_sweep) else 1
        if done or not self._begun:
            for op in self._prepare[side]:
                session.run(op)
        self._begun = True
        return SessionRunArgs([self._steps[side]])


class _Counts(SessionRunHook):
    """Adds one to the global step."""

    def __init__(self) -> None:
        self._op = assign_add(get_global_step(), 1, name="global_step_incr").op

    def before_run(self, run_context: Any) -> None:
        run_context.session.run(self._op)


class _StopAtSweep(SessionRunHook):
    """Stops after `last` sweeps."""

    def __init__(self, sweeps: Any, last: int):
        self._sweeps, self._last = sweeps, last

    def before_run(self, run_context: Any) -> Any:
        return SessionRunArgs(self._sweeps)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        if run_values.results >= self._last:
            run_context.request_stop()


def _kept(value: Any, name: str) -> Any:
    return Variable(value, trainable=False, name=name)


class _State:
    """Where the sweeps are: variables."""

    def __init__(self) -> None:
        self.is_row_sweep, self.is_done = _kept(True, "is_row_sweep"), _kept(False, "is_sweep_done")
        self.sweeps = _kept(0, WALSMatrixFactorization.COMPLETED_SWEEPS)
        self.loss, self.rwse = _kept(0.0, WALSMatrixFactorization.LOSS), _kept(0.0, WALSMatrixFactorization.RWSE)
        summary.scalar("loss", self.loss)
        summary.scalar("root_weighted_squared_error", self.rwse)
        summary.scalar("completed_sweeps", self.sweeps)

    def step(self, sp_input: Any, count: int, update: Callable[[Any], Any], axis: str) -> tuple[Any, Any]:
        """(the op that forgets which items were seen, the op of a step)."""
        seen = _kept(array.fill([count], False), f"processed_{axis}")
        _, update_op, loss, regularization, weights = update(sp_input)
        ids = sp_input.indices[:, 0]
        told = [assign(self.loss, loss + regularization), assign(self.rwse, math.sqrt(loss / weights))]
        with get_default_graph().control_dependencies([update_op, *told]):
            marked = updating.scatter_update(seen, ids, array.ones_like(ids, dtype=seen.dtype.base_dtype))
        with get_default_graph().control_dependencies([marked]):
            done = math.reduce_all(seen)
            step = basic.group(
                assign(self.is_done, done),
                assign_add(self.sweeps, math.cast(done, self.sweeps.dtype.base_dtype)),
                name=f"{axis[:-1]}_sweep_train_op",
            )
        return seen.initializer, step


def _model_fn(features: Any, labels: Any, mode: str, params: dict[str, Any]) -> ModelFnOps:
    assert labels is None
    training = mode == ModeKeys.TRAIN
    model = WALSModel(
        *(params["num_rows"], params["num_cols"], params["embedding_dimension"], params["unobserved_weight"]),
        *(params["regularization_coeff"], params["row_init"], params["col_init"], params["num_row_shards"]),
        *(params["num_col_shards"], params["row_weights"], params["col_weights"]),
        use_factors_weights_cache=params["use_factors_weights_cache_for_training"] and training,
        use_gramian_cache=params["use_gramian_cache_for_training"] and training,
    )
    rows = features[WALSMatrixFactorization.INPUT_ROWS]
    cols = features[WALSMatrixFactorization.INPUT_COLS]
    if training:
        return _trained(model, rows, cols, params)
    of_rows = features[WALSMatrixFactorization.PROJECT_ROW]
    if mode == ModeKeys.INFER:
        weights = features.get(WALSMatrixFactorization.PROJECTION_WEIGHTS)
        projected = control_flow.cond(
            of_rows,
            lambda: model.project_row_factors(rows, projection_weights=weights),
            lambda: model.project_col_factors(cols, transpose_input=True, projection_weights=weights),
        )
        predictions = {WALSMatrixFactorization.PROJECTION_RESULT: projected}
        return ModelFnOps(mode, predictions=predictions, train_op=basic.no_op())

    def loss(update: Any, sp_input: Any, transposed: bool) -> Any:
        _, _, loss, regularization, _ = update(sp_input, transpose_input=transposed)
        return loss + regularization

    total = control_flow.cond(
        of_rows,
        lambda: loss(model.update_row_factors, rows, False),
        lambda: loss(model.update_col_factors, cols, True),
    )
    return ModelFnOps(mode, predictions={}, loss=total, train_op=basic.no_op())


def _trained(model: WALSModel, rows: Any, cols: Any, params: dict[str, Any]) -> ModelFnOps:
    state = _State()
    forget_rows, row_step = state.step(rows, params["num_rows"], model.update_row_factors, "rows")
    forget_cols, col_step = state.step(
        cols, params["num_cols"], lambda x: model.update_col_factors(x, transpose_input=True), "cols"
    )
    turn = assign(state.is_row_sweep, math.logical_not(state.is_row_sweep))
    switch = basic.group(turn, forget_rows, forget_cols, name="sweep_switch_op")
    prepare = (
        [model.row_update_prep_gramian_op, model.initialize_row_update_op],
        [model.col_update_prep_gramian_op, model.initialize_col_update_op],
    )
    hooks = [_Sweeps(state, model.worker_init, prepare, (row_step, col_step), switch), _Counts()]
    if params["max_sweeps"] is not None:
        hooks.append(_StopAtSweep(state.sweeps, params["max_sweeps"]))
    return ModelFnOps(ModeKeys.TRAIN, predictions={}, loss=state.loss, train_op=basic.no_op(), training_hooks=hooks)


class WALSMatrixFactorization(Estimator):
    """Factors of a sparse matrix [num_rows, num_cols], whose rows and columns come in batches as features.

    Features: `input_rows`, `input_cols` (the matrix, and the matrix transposed: SparseTensors), and to project or to evaluate
    `project_row`. The other arguments are those of `WALSModel`. Raises ValueError for several workers.
    """

    INPUT_ROWS, INPUT_COLS, PROJECT_ROW = "input_rows", "input_cols", "project_row"
    PROJECTION_WEIGHTS, PROJECTION_RESULT = "projection_weights", "projection"
    COMPLETED_SWEEPS, LOSS, RWSE = "completed_sweeps", "WALS_loss", "WALS_RWSE"

    def __init__(
        self,
        num_rows: int,
        num_cols: int,
        embedding_dimension: int,
        unobserved_weight: float = 0.1,
        regularization_coeff: float | None = None,
        row_init: Any = "random",
        col_init: Any = "random",
        num_row_shards: int = 1,
        num_col_shards: int = 1,
        row_weights: Any = 1,
        col_weights: Any = 1,
        use_factors_weights_cache_for_training: bool = True,
        use_gramian_cache_for_training: bool = True,
        max_sweeps: int | None = None,
        model_dir: Any = None,
        config: Any = None,
    ):
        params = {k: v for k, v in locals().items() if k not in ("self", "model_dir", "config", "__class__")}
        self._shards = num_row_shards, num_col_shards
        super().__init__(_model_fn, model_dir, config, params)
        if self._config is not None and self._config.num_worker_replicas > 1:
            raise ValueError("WALSMatrixFactorization must be run on a single worker replica.")

    def get_row_factors(self) -> list[Any]:
        """The factors of the rows, an array for each shard."""
        return [self.get_variable_value(f"row_factors_shard_{i}") for i in range(self._shards[0])]

    def get_col_factors(self) -> list[Any]:
        """The factors of the columns."""
        return [self.get_variable_value(f"col_factors_shard_{i}") for i in range(self._shards[1])]

    def get_projections(self, input_fn: Any) -> Iterator[Any]:
        """The factors of new rows or columns, one by one."""
        return (result[self.PROJECTION_RESULT] for result in self.predict(input_fn=input_fn))
