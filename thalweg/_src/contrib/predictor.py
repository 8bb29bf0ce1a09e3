"""tf.contrib.predictor: a trained model as a function of a dict of arrays, with its graph and session kept open."""

from __future__ import annotations

from typing import Any

from thalweg._src.core.graph import Graph
from thalweg._src.lib.checkpoint_management import latest_checkpoint
from thalweg._src.lib.estimators.export_outputs import build_all_signature_defs
from thalweg._src.lib.estimators.modes import ModeKeys
from thalweg._src.lib.saved_model import constants, loader
from thalweg._src.lib.saver import Saver
from thalweg._src.lib.scaffold import Scaffold
from thalweg._src.runtime.session import Session


class Predictor:
    """`predictor({name: array})` gives {name: array}: `feed_tensors` say what goes in, `fetch_tensors` what comes out."""

    def __init__(self, session: Any, feed_tensors: dict[str, Any], fetch_tensors: dict[str, Any]):
        self._session, self._feed_tensors, self._fetch_tensors = session, feed_tensors, fetch_tensors

    @property
    def graph(self) -> Graph:
        return self._session.graph

    @property
    def session(self) -> Any:
        return self._session

    @property
    def feed_tensors(self) -> dict[str, Any]:
        return self._feed_tensors

    @property
    def fetch_tensors(self) -> dict[str, Any]:
        return self._fetch_tensors

    def __call__(self, input_dict: dict[str, Any]) -> dict[str, Any]:
        """The outputs for arrays by name. Raises ValueError for names that are no inputs."""
        unknown = set(input_dict) - set(self._feed_tensors)
        if unknown:
            raise ValueError(f"Got unexpected keys in input_dict: {unknown}\nexpected: {set(self._feed_tensors)}")
        feeds = {self._feed_tensors[name]: value for name, value in input_dict.items()}
        return self._session.run(self._fetch_tensors, feeds)

    def __repr__(self) -> str:
        return f"{type(self).__name__} with feed tensors {self._feed_tensors} and fetch_tensors {self._fetch_tensors}"


def _tensors(graph: Graph, infos: Any) -> dict[str, Any]:
    return {key: graph.get_tensor_by_name(info.name) for key, info in infos.items()}


def from_saved_model(
    export_dir: Any,
    signature_def_key: str | None = None,
    signature_def: Any = None,
    input_names: dict[str, str] | None = None,
    output_names: dict[str, str] | None = None,
    tags: str | None = None,
    graph: Graph | None = None,
    config: Any = None,
) -> Predictor:
    """A SavedModel, by the key of one of its signatures ("serving_default"), a signature, or the names of its tensors.

    `tags` is one string with commas. Raises ValueError for more than one of these, for names of inputs without those of outputs, and
    for a signature that is not there; RuntimeError for tags that no graph has.
    """
    given = [signature_def_key is not None, signature_def is not None, input_names is not None]
    if sum(given) > 1:
        raise ValueError(
            "You must specify at most one of signature_def_key OR signature_def OR(input_names AND output_names)."
        )
    if (input_names is None) != (output_names is None):
        raise ValueError("input_names and output_names must both be specified or both be unspecified.")
    graph = graph or Graph()
    with graph.as_default():
        session = Session(graph=graph, config=config)
        loaded = loader.load(session, (tags or constants.SERVING).split(","), export_dir)
    if input_names is not None and output_names is not None:
        feeds = {key: graph.get_tensor_by_name(name) for key, name in input_names.items()}
        return Predictor(session, feeds, {key: graph.get_tensor_by_name(n) for key, n in output_names.items()})
    if signature_def is None:
        key = signature_def_key or constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY
        if key not in loaded.signature_def:
            raise ValueError(f"Got signature_def_key {key!r}. Available signatures are {sorted(loaded.signature_def)}.")
        signature_def = loaded.signature_def[key]
    return Predictor(session, _tensors(graph, signature_def.inputs), _tensors(graph, signature_def.outputs))


def from_estimator(
    estimator: Any,
    serving_input_receiver_fn: Any,
    output_key: str | None = None,
    graph: Graph | None = None,
    config: Any = None,
) -> Predictor:
    """The last checkpoint of a tf.estimator, fed by what `serving_input_receiver_fn` makes; `output_key`: one of its export outputs.

    Raises ValueError without a checkpoint, and for an unknown key.
    """
    checkpoint = latest_checkpoint(estimator.model_dir)
    if checkpoint is None:
        raise ValueError(f"Couldn't find trained model at {estimator.model_dir}.")
    graph = graph or Graph()
    with graph.as_default():
        estimator._create_and_assert_global_step(graph)
        receiver = serving_input_receiver_fn()
        spec = estimator.model_fn(receiver.features, None, ModeKeys.PREDICT, estimator.config)
        made = build_all_signature_defs(receiver.receiver_tensors, spec.export_outputs)
        key = output_key or constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY
        if key not in made:
            raise ValueError(f"output_key must be one of {sorted(made)}, not {key!r}.")
        session = Session(graph=graph, config=config)
        Saver(sharded=True).restore(session, checkpoint)
        session.run(Scaffold.default_local_init_op())
    return Predictor(session, _tensors(graph, made[key].inputs), _tensors(graph, made[key].outputs))
