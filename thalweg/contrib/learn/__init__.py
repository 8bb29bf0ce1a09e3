"""tf.contrib.learn: estimators with scikit-learn's verbs, as SKFlow had them."""

from thalweg._src.contrib.learn.base_estimator import BaseEstimator as BaseEstimator
from thalweg._src.contrib.learn.batch_files import queue_parsed_features as queue_parsed_features
from thalweg._src.contrib.learn.batch_files import read_batch_examples as read_batch_examples
from thalweg._src.contrib.learn.batch_files import read_batch_features as read_batch_features
from thalweg._src.contrib.learn.batch_files import read_batch_record_features as read_batch_record_features
from thalweg._src.contrib.learn.batch_files import read_keyed_batch_examples as read_keyed_batch_examples
from thalweg._src.contrib.learn.batch_files import (
    read_keyed_batch_examples_shared_queue as read_keyed_batch_examples_shared_queue,
)
from thalweg._src.contrib.learn.batch_files import read_keyed_batch_features as read_keyed_batch_features
from thalweg._src.contrib.learn.batch_files import (
    read_keyed_batch_features_shared_queue as read_keyed_batch_features_shared_queue,
)
from thalweg._src.contrib.learn.canned import SVM as SVM
from thalweg._src.contrib.learn.canned import DNNClassifier as DNNClassifier
from thalweg._src.contrib.learn.canned import DNNEstimator as DNNEstimator
from thalweg._src.contrib.learn.canned import DNNLinearCombinedClassifier as DNNLinearCombinedClassifier
from thalweg._src.contrib.learn.canned import DNNLinearCombinedEstimator as DNNLinearCombinedEstimator
from thalweg._src.contrib.learn.canned import DNNLinearCombinedRegressor as DNNLinearCombinedRegressor
from thalweg._src.contrib.learn.canned import DNNRegressor as DNNRegressor
from thalweg._src.contrib.learn.canned import LinearClassifier as LinearClassifier
from thalweg._src.contrib.learn.canned import LinearEstimator as LinearEstimator
from thalweg._src.contrib.learn.canned import LinearRegressor as LinearRegressor
from thalweg._src.contrib.learn.datasets.mnist import read_data_sets as read_data_sets
from thalweg._src.contrib.learn.dynamic_rnn import DynamicRnnEstimator as DynamicRnnEstimator
from thalweg._src.contrib.learn.estimator import Estimator as Estimator
from thalweg._src.contrib.learn.estimator import SKCompat as SKCompat
from thalweg._src.contrib.learn.estimator import (
    infer_real_valued_columns_from_input as infer_real_valued_columns_from_input,
)
from thalweg._src.contrib.learn.estimator import (
    infer_real_valued_columns_from_input_fn as infer_real_valued_columns_from_input_fn,
)
from thalweg._src.contrib.learn.experiment import Experiment as Experiment
from thalweg._src.contrib.learn.export_strategies import ExportStrategy as ExportStrategy
from thalweg._src.contrib.learn.export_strategies import make_export_strategy as make_export_strategy
from thalweg._src.contrib.learn.exporting import InputFnOps as InputFnOps
from thalweg._src.contrib.learn.exporting import build_default_serving_input_fn as build_default_serving_input_fn
from thalweg._src.contrib.learn.exporting import build_parsing_serving_input_fn as build_parsing_serving_input_fn
from thalweg._src.contrib.learn.graph_actions import evaluate as evaluate
from thalweg._src.contrib.learn.graph_actions import infer as infer
from thalweg._src.contrib.learn.graph_actions import run_feeds as run_feeds
from thalweg._src.contrib.learn.graph_actions import run_n as run_n
from thalweg._src.contrib.learn.graph_actions import train as train
from thalweg._src.contrib.learn.head import binary_svm_head as binary_svm_head
from thalweg._src.contrib.learn.head import loss_only_head as loss_only_head
from thalweg._src.contrib.learn.head import multi_class_head as multi_class_head
from thalweg._src.contrib.learn.head import multi_head as multi_head
from thalweg._src.contrib.learn.head import multi_label_head as multi_label_head
from thalweg._src.contrib.learn.head import poisson_regression_head as poisson_regression_head
from thalweg._src.contrib.learn.head import regression_head as regression_head
from thalweg._src.contrib.learn.kmeans import KMeansClustering as KMeansClustering
from thalweg._src.contrib.learn.learn_io import generator_input_fn as generator_input_fn
from thalweg._src.contrib.learn.learn_io import numpy_input_fn as numpy_input_fn
from thalweg._src.contrib.learn.learn_io import pandas_input_fn as pandas_input_fn
from thalweg._src.contrib.learn.logistic import LogisticRegressor as LogisticRegressor
from thalweg._src.contrib.learn.metric_spec import MetricSpec as MetricSpec
from thalweg._src.contrib.learn.modes import MetricKey as MetricKey
from thalweg._src.contrib.learn.modes import ModeKeys as ModeKeys
from thalweg._src.contrib.learn.modes import ModelFnOps as ModelFnOps
from thalweg._src.contrib.learn.modes import PredictionKey as PredictionKey
from thalweg._src.contrib.learn.modes import ProblemType as ProblemType
from thalweg._src.contrib.learn.parameters import Evaluable as Evaluable
from thalweg._src.contrib.learn.parameters import NotFittedError as NotFittedError
from thalweg._src.contrib.learn.parameters import Trainable as Trainable
from thalweg._src.contrib.learn.run_config import ClusterConfig as ClusterConfig
from thalweg._src.contrib.learn.run_config import Environment as Environment
from thalweg._src.contrib.learn.run_config import RunConfig as RunConfig
from thalweg._src.contrib.learn.run_config import TaskType as TaskType
from thalweg._src.contrib.learn.single_head import Head as Head
from thalweg._src.contrib.learn.single_head import no_op_train_fn as no_op_train_fn
from thalweg._src.contrib.learn.skflow import TensorFlowClassifier as TensorFlowClassifier
from thalweg._src.contrib.learn.skflow import TensorFlowDNNClassifier as TensorFlowDNNClassifier
from thalweg._src.contrib.learn.skflow import TensorFlowDNNRegressor as TensorFlowDNNRegressor
from thalweg._src.contrib.learn.skflow import TensorFlowEstimator as TensorFlowEstimator
from thalweg._src.contrib.learn.skflow import TensorFlowLinearClassifier as TensorFlowLinearClassifier
from thalweg._src.contrib.learn.skflow import TensorFlowLinearRegressor as TensorFlowLinearRegressor
from thalweg._src.contrib.learn.skflow import TensorFlowRegressor as TensorFlowRegressor
from thalweg._src.contrib.learn.skflow import TensorFlowRNNClassifier as TensorFlowRNNClassifier
from thalweg._src.contrib.learn.skflow import TensorFlowRNNRegressor as TensorFlowRNNRegressor
from thalweg._src.contrib.learn.tables import extract_dask_data as extract_dask_data
from thalweg._src.contrib.learn.tables import extract_dask_labels as extract_dask_labels
from thalweg._src.contrib.learn.tables import extract_pandas_data as extract_pandas_data
from thalweg._src.contrib.learn.tables import extract_pandas_labels as extract_pandas_labels
from thalweg._src.contrib.learn.tables import extract_pandas_matrix as extract_pandas_matrix
from thalweg._src.lib.hooks.basic import NanLossDuringTrainingError as NanLossDuringTrainingError
from thalweg.contrib.learn import datasets as datasets
from thalweg.contrib.learn import estimators as estimators
from thalweg.contrib.learn import graph_actions as graph_actions
from thalweg.contrib.learn import head as head
from thalweg.contrib.learn import io as io
from thalweg.contrib.learn import learn_runner as learn_runner
from thalweg.contrib.learn import models as models
from thalweg.contrib.learn import monitors as monitors
from thalweg.contrib.learn import ops as ops
from thalweg.contrib.learn import preprocessing as preprocessing
from thalweg.contrib.learn import utils as utils
