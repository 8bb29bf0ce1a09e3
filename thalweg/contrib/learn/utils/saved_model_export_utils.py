"""tf.contrib.learn.utils.saved_model_export_utils: SavedModels of estimators, and what says when they are made."""

from thalweg._src.contrib.learn.export_strategies import BestModelSelector as BestModelSelector
from thalweg._src.contrib.learn.export_strategies import extend_export_strategy as extend_export_strategy
from thalweg._src.contrib.learn.export_strategies import (
    make_best_model_export_strategy as make_best_model_export_strategy,
)
from thalweg._src.contrib.learn.export_strategies import make_export_strategy as make_export_strategy
from thalweg._src.contrib.learn.export_strategies import make_parsing_export_strategy as make_parsing_export_strategy
from thalweg._src.contrib.learn.exporting import DEFAULT_INPUT_ALTERNATIVE_KEY as DEFAULT_INPUT_ALTERNATIVE_KEY
from thalweg._src.contrib.learn.exporting import FEATURES_INPUT_ALTERNATIVE_KEY as FEATURES_INPUT_ALTERNATIVE_KEY
from thalweg._src.contrib.learn.exporting import build_all_signature_defs as build_all_signature_defs
from thalweg._src.contrib.learn.exporting import build_standardized_signature_def as build_standardized_signature_def
from thalweg._src.contrib.learn.exporting import get_input_alternatives as get_input_alternatives
from thalweg._src.contrib.learn.exporting import get_most_recent_export as get_most_recent_export
from thalweg._src.contrib.learn.exporting import get_output_alternatives as get_output_alternatives
from thalweg._src.lib.estimators.export_outputs import get_temp_export_dir as get_temp_export_dir
from thalweg._src.lib.estimators.export_outputs import get_timestamped_export_dir as get_timestamped_export_dir
from thalweg._src.lib.estimators.exporters import remove_old_exports as garbage_collect_exports
