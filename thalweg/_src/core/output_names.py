"""What TensorFlow 1.15 calls the output of each op that has one, where that is not `output`.

Function definitions refer to outputs by these names: `MatMul:product:0`. Facts of the op registry, held by tests/test_opdefs.py.
"""

_OPS_OF = {
    "activations": "Elu LeakyRelu Relu Relu6 Selu Softplus Softsign",
    "average": "AccumulatorTakeGradient ResourceAccumulatorTakeGradient",
    "backprops": (
        "EluGrad FakeQuantWithMinMaxArgsGradient LeakyReluGrad Relu6Grad ReluGrad SeluGrad SoftplusGrad SoftsignGrad"
    ),
    "band": "BatchMatrixBandPart MatrixBandPart",
    "batched_grad": "UnbatchGrad",
    "binary_examples": "DecodeJSONExample",
    "bins": "Bincount",
    "bucket_boundaries": "BoostedTreesQuantileStreamResourceGetBucketBoundaries",
    "buckets": "BoostedTreesBucketize",
    "bytes": "EncodeProto",
    "cardinality": "DatasetCardinality ExperimentalDatasetCardinality",
    "components": (
        "DatasetToSingleElement IteratorGetNext IteratorGetNextSync MultiDeviceIteratorGetNextFromShard "
        "OptionalGetValue QueueDequeue QueueDequeueMany QueueDequeueManyV2 QueueDequeueUpTo QueueDequeueUpToV2 "
        "QueueDequeueV2 ReduceDataset"
    ),
    "contents": "EncodeJpeg EncodeJpegVariableQuality EncodePng EncodeWav ReadFile",
    "continue_centering": "BoostedTreesCenterBias",
    "crops": "CropAndResize",
    "data": (
        "CollectiveBcastRecv CollectiveBcastSend CollectiveGather CollectiveReduce NcclAllReduce NcclReduce "
        "_NcclReduceRecv"
    ),
    "dense": "SparseToDense",
    "device": "DevicePlacementOp ExperimentalIteratorGetDevice IteratorGetDevice",
    "device_ordinals": "TPUOrdinalSelector",
    "diagonal": "BatchMatrixDiagPart DiagPart MatrixDiagPart MatrixDiagPartV2",
    "elem": "StackPop StackPopV2",
    "element_shape": "TensorListElementShape",
    "encoded_ragged": "RaggedTensorToVariant",
    "examples_debug_outputs_serialized": "BoostedTreesExampleDebugOutputs",
    "fact": "Fact",
    "filename": "ShardedFilename ShardedFilespec",
    "filenames": "MatchingFiles",
    "filter_backprop": "Dilation2DBackpropFilter",
    "filterbanks": "AudioMicrofrontend",
    "fingerprint": "Fingerprint",
    "flow_out": (
        "TensorArrayScatter TensorArrayScatterV2 TensorArrayScatterV3 TensorArraySplit TensorArraySplitV2 "
        "TensorArraySplitV3 TensorArrayUnpack TensorArrayWrite TensorArrayWriteV2 TensorArrayWriteV3"
    ),
    "glimpse": "ExtractGlimpse",
    "grad_handle": "TensorArrayGrad TensorArrayGradV2",
    "graph": "DatasetToGraph",
    "handle": (
        "AnonymousIterator AssertNextDataset AutoShardDataset Barrier BatchDataset BatchDatasetV2 "
        "BytesProducedStatsDataset CSVDataset CacheDataset CacheDatasetV2 ChooseFastestBranchDataset "
        "ChooseFastestDataset ConcatenateDataset ConditionalAccumulator DatasetFromGraph "
        "DenseToSparseBatchDataset DirectedInterleaveDataset EmptyTensorList ExperimentalAssertNextDataset "
        "ExperimentalAutoShardDataset ExperimentalBytesProducedStatsDataset ExperimentalCSVDataset "
        "ExperimentalChooseFastestDataset ExperimentalDenseToSparseBatchDataset "
        "ExperimentalDirectedInterleaveDataset ExperimentalGroupByReducerDataset ExperimentalGroupByWindowDataset "
        "ExperimentalIgnoreErrorsDataset ExperimentalLMDBDataset ExperimentalLatencyStatsDataset "
        "ExperimentalMapAndBatchDataset ExperimentalMapDataset ExperimentalMatchingFilesDataset "
        "ExperimentalMaxIntraOpParallelismDataset ExperimentalNonSerializableDataset "
        "ExperimentalParallelInterleaveDataset ExperimentalParseExampleDataset "
        "ExperimentalPrivateThreadPoolDataset ExperimentalRandomDataset ExperimentalRebatchDataset "
        "ExperimentalScanDataset ExperimentalSetStatsAggregatorDataset ExperimentalSleepDataset "
        "ExperimentalSlidingWindowDataset ExperimentalSqlDataset ExperimentalStatsAggregatorHandle "
        "ExperimentalTakeWhileDataset ExperimentalThreadPoolDataset ExperimentalThreadPoolHandle "
        "ExperimentalUnbatchDataset ExperimentalUniqueDataset FIFOQueue FIFOQueueV2 FakeQueue FilterDataset "
        "FixedLengthRecordDataset FixedLengthRecordDatasetV2 FlatMapDataset GeneratorDataset GetSessionHandle "
        "GetSessionHandleV2 GroupByReducerDataset GroupByWindowDataset IgnoreErrorsDataset InterleaveDataset "
        "Iterator IteratorV2 LMDBDataset LatencyStatsDataset MapAndBatchDataset MapDataset MatchingFilesDataset "
        "MaxIntraOpParallelismDataset ModelDataset MultiDeviceIterator NonSerializableDataset OneShotIterator "
        "OptimizeDataset PaddedBatchDataset PaddedBatchDatasetV2 PaddingFIFOQueue PaddingFIFOQueueV2 "
        "ParallelInterleaveDataset ParallelInterleaveDatasetV2 ParallelMapDataset ParseExampleDataset "
        "PrefetchDataset PriorityQueue PriorityQueueV2 PrivateThreadPoolDataset RandomDataset RandomShuffleQueue "
        "RandomShuffleQueueV2 RangeDataset RebatchDataset RepeatDataset ResourceConditionalAccumulator "
        "SamplingDataset ScanDataset SetStatsAggregatorDataset ShardDataset ShuffleAndRepeatDataset "
        "ShuffleDataset ShuffleDatasetV2 SkipDataset SleepDataset SlidingWindowDataset SnapshotDataset "
        "SparseConditionalAccumulator SparseTensorSliceDataset SqlDataset Stack StackV2 StatsAggregatorHandle "
        "StatsAggregatorHandleV2 TFRecordDataset TakeDataset TakeWhileDataset TensorArray TensorArrayV2 "
        "TensorDataset TensorListReserve TensorSliceDataset TextLineDataset ThreadPoolDataset ThreadPoolHandle "
        "UnbatchDataset UniqueDataset WindowDataset ZipDataset"
    ),
    "has_value": "OptionalHasValue",
    "id": "XlaReplicaId",
    "image": "DecodeAndCropJpeg DecodeBmp DecodeGif DecodeJpeg DecodePng",
    "image_shape": "ExtractJpegShape",
    "in_backprop": "Dilation2DBackpropInput",
    "incarnation_id": "MultiDeviceIteratorInit",
    "index": "KMC2ChainInitialization Where",
    "initialized": "ResourceInitializedOp",
    "is_closed": "QueueIsClosed QueueIsClosedV2",
    "is_initialized": (
        "IsBoostedTreesEnsembleInitialized IsBoostedTreesQuantileStreamResourceInitialized IsVariableInitialized "
        "TensorForestTreeIsInitializedOp VarIsInitializedOp"
    ),
    "item": "TensorListGetItem",
    "length": "TensorListLength",
    "logits": "BoostedTreesPredict TensorForestTreePredict",
    "logsoftmax": "LogSoftmax",
    "merged": "DynamicStitch ParallelDynamicStitch",
    "multi_device_iterator": "MultiDeviceIteratorFromStringHandle",
    "mutex_lock": "MutexLock",
    "num_accumulated": "AccumulatorNumAccumulated ResourceAccumulatorNumAccumulated",
    "number_of_tpu_chips": "_DisconnectHostFromDistributedTPUSystem",
    "offset": "ConcatOffset",
    "optional": "IteratorGetNextAsOptional OptionalFromValue OptionalNone",
    "out": (
        "A ApplyAdaMax ApplyAdadelta ApplyAdagrad ApplyAdagradDA ApplyAdagradV2 ApplyAdam ApplyAddSign "
        "ApplyCenteredRMSProp ApplyFtrl ApplyFtrlV2 ApplyGradientDescent ApplyMomentum ApplyPowerSign "
        "ApplyProximalAdagrad ApplyProximalGradientDescent ApplyRMSProp B Binary Complex Cumprod Cumsum "
        "CumulativeLogsumexp HistogramFixedWidth Int64Output IntAttr OutTypeList OutTypeListRestrict Polymorphic "
        "PolymorphicDefaultOut PolymorphicOut Restrict Simple SparseApplyAdadelta SparseApplyAdagrad "
        "SparseApplyAdagradDA SparseApplyAdagradV2 SparseApplyCenteredRMSProp SparseApplyFtrl SparseApplyFtrlV2 "
        "SparseApplyMomentum SparseApplyProximalAdagrad SparseApplyProximalGradientDescent SparseApplyRMSProp "
        "TestAttr"
    ),
    "out_tensors": "BatchFunction",
    "output_handle": (
        "TensorListFromTensor TensorListPushBack TensorListResize TensorListScatter "
        "TensorListScatterIntoExistingList TensorListScatterV2 TensorListSetItem TensorListSplit "
        "UnwrapDatasetVariant WrapDatasetVariant"
    ),
    "output_handles": "TensorListPushBackBatch",
    "output_matrix": "LoadAndRemapMatrix",
    "output_ref": (
        "Assign AssignAdd AssignSub ScatterAdd ScatterDiv ScatterMax ScatterMin ScatterMul ScatterNdAdd "
        "ScatterNdSub ScatterNdUpdate ScatterSub ScatterUpdate StridedSliceAssign"
    ),
    "outputs": (
        "DynamicPartition FakeQuantWithMinMaxArgs FakeQuantWithMinMaxVars FakeQuantWithMinMaxVarsPerChannel "
        "InfeedDequeueTuple OutfeedDequeueTuple RecvTPUEmbeddingActivations RemoteFusedGraphExecute "
        "TPUReplicatedOutput XlaClusterOutput _SwitchN _TPUReplicate _XlaRecvAtHost"
    ),
    "parameters": "RetrieveTPUEmbeddingStochasticGradientDescentParameters",
    "params": "CudnnRNNCanonicalToParams CudnnRNNCanonicalToParamsV2",
    "params_size": "CudnnRNNParamsSize",
    "partitions": "GenerateBigQueryReaderPartitions",
    "patches": "ExtractImagePatches ExtractVolumePatches",
    "precision": "InTopK InTopKV2",
    "product": "Cross MatMul SparseMatMul SparseTensorDenseMatMul XlaEinsum _FusedMatMul",
    "r0": "BroadcastArgs",
    "reader_handle": (
        "BigQueryReader FixedLengthRecordReader FixedLengthRecordReaderV2 IdentityReader IdentityReaderV2 "
        "LMDBReader TFRecordReader TFRecordReaderV2 TextLineReader TextLineReaderV2 WholeFileReader "
        "WholeFileReaderV2"
    ),
    "records": "RecordInput",
    "records_produced": "ReaderNumRecordsProduced ReaderNumRecordsProducedV2",
    "ref": "TemporaryVariable Variable VariableV2",
    "resized_images": "ResizeArea ResizeBicubic ResizeBilinear ResizeNearestNeighbor ScaleAndTranslate",
    "resource": (
        "BoostedTreesEnsembleResourceHandleOp BoostedTreesQuantileStreamResourceHandleOp MutexV2 "
        "StubResourceHandleOp TensorForestTreeResourceHandleOp VarHandleOp"
    ),
    "resource_handle": "IteratorFromStringHandle IteratorFromStringHandleV2",
    "resources": "_VarHandlesOp",
    "response": "Rpc WorkerHeartbeat",
    "result": "BatchNormWithGlobalNormalization KernelLabel KernelLabelRequired RaggedTensorToTensor",
    "results": "XlaLaunch _XlaRun",
    "samples": "KmeansPlusPlusInitialization",
    "selected_indices": "NonMaxSuppression NonMaxSuppressionV2 NonMaxSuppressionV3 NonMaxSuppressionWithOverlaps",
    "serialized": "SerializeIterator SerializeTensor",
    "serialized_sparse": "SerializeManySparse SerializeSparse",
    "size": (
        "BarrierIncompleteSize BarrierReadySize LookupTableSize LookupTableSizeV2 MapIncompleteSize MapSize "
        "OrderedMapIncompleteSize OrderedMapSize QueueSize QueueSizeV2 SetSize StageSize TensorArraySize "
        "TensorArraySizeV2 TensorArraySizeV3"
    ),
    "softmax": "Softmax",
    "sparse_handle": "AddSparseToTensorsMap",
    "sparse_handles": "AddManySparseToTensorsMap",
    "spectrogram": "AudioSpectrogram",
    "state": "ReaderSerializeState ReaderSerializeStateV2",
    "stats_summary": "BoostedTreesAggregateStats BoostedTreesMakeStatsSummary",
    "string_handle": "IteratorToStringHandle MultiDeviceIteratorToStringHandle",
    "sum": "AccumulateNV2 AddN",
    "summaries": "BoostedTreesFlushQuantileSummaries BoostedTreesMakeQuantileSummaries",
    "summary": (
        "AudioSummary AudioSummaryV2 ExperimentalStatsAggregatorSummary HistogramSummary ImageSummary "
        "MergeSummary ScalarSummary StatsAggregatorSummary TensorSummary TensorSummaryV2"
    ),
    "table_handle": (
        "HashTable HashTableV2 MutableDenseHashTable MutableDenseHashTableV2 MutableHashTable "
        "MutableHashTableOfTensors MutableHashTableOfTensorsV2 MutableHashTableV2"
    ),
    "tensor": "ImmutableConst Restore RestoreSlice TensorListStack XlaRecv _HostRecv _Recv",
    "tensors": "RestoreV2",
    "topology": "ConfigureDistributedTPU _WaitForDistributedTPU",
    "tpu_ids": "_InitializeHostForDistributedTPU",
    "tree_config": "TensorForestTreeSerialize",
    "tree_size": "TensorForestTreeSize",
    "ts": "Timestamp",
    "unbatched_tensor": "Unbatch",
    "units_completed": "ReaderNumWorkUnitsCompleted ReaderNumWorkUnitsCompletedV2",
    "val_grad": "SparseSliceGrad",
    "value": (
        "DestroyTemporaryVariable GetSessionTensor ReadVariableOp TensorArrayGather TensorArrayGatherV2 "
        "TensorArrayGatherV3 TensorArrayPack TensorArrayRead TensorArrayReadV2 TensorArrayReadV3"
    ),
    "values": (
        "LookupTableFind LookupTableFindV2 MapPeek MapUnstage NthElement OrderedMapPeek OrderedMapUnstage "
        "StagePeek TensorListGather Unstage _ReadVariablesOp"
    ),
    "version": "GraphDefVersion RequiresOlderGraphVersion",
    "writer": "SummaryWriter",
    "y": (
        "Abs Acos Acosh Asin Asinh Atan Atanh BesselI0e BesselI1e Cast Ceil ComplexAbs ConjugateTranspose Cos "
        "Cosh DataFormatDimMap DataFormatVecPermute DeepCopy Digamma Erf Erfc Exp Expm1 Floor InplaceAdd "
        "InplaceSub InplaceUpdate Inv Invert InvertPermutation IsFinite IsInf IsNan Lgamma Log Log1p LogicalNot "
        "Neg OnesLike PopulationCount Reciprocal Rint Round Rsqrt Sigmoid Sign Sin Sinh Sqrt Square Tan Tanh "
        "Transpose ZerosLike _HostCast _UnaryOpsComposition"
    ),
    "z": (
        "Add AddV2 ApproximateEqual Atan2 Betainc BitwiseAnd BitwiseOr BitwiseXor Div DivNoNan Equal FloorDiv "
        "FloorMod Greater GreaterEqual Igamma IgammaGradA Igammac InvGrad LeftShift Less LessEqual LogicalAnd "
        "LogicalOr Maximum Minimum Mod Mul MulNoNan NotEqual Polygamma Pow RealDiv ReciprocalGrad RightShift "
        "RsqrtGrad SigmoidGrad SqrtGrad SquaredDifference Sub TanhGrad TruncateDiv TruncateMod Xdivy Xlogy Zeta"
    ),
}

OUTPUT_NAMES = {op: name for name, ops in _OPS_OF.items() for op in ops.split()}
