"""The names of features and results."""

TIMES, VALUES, STATE_TUPLE, STATE_PREFIX = "times", "values", "start_tuple", "model_state"


class State:
    """The state of a model, whole or as numbered parts."""

    STATE_TUPLE = STATE_TUPLE
    STATE_PREFIX = STATE_PREFIX


class Times:
    TIMES = TIMES


class Values:
    VALUES = VALUES


class TrainEvalFeatures(Times, Values):
    """What a model is trained and evaluated on."""


class PredictionFeatures(Times, State):
    """What predictions begin from."""


class FilteringFeatures(Times, Values, State):
    """What a state is brought up to date with."""


class PredictionResults(Times):
    """What predictions have beside their values."""


class FilteringResults(Times, State):
    """What an evaluation leaves for predictions."""


class SavedModelLabels:
    """The signatures of an exported model."""

    PREDICT = "serving_default"
    FILTER = "filter"
    COLD_START_FILTER = "cold_start_filter"
