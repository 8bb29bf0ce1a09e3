"""tf.contrib.cudnn_rnn: networks over time as one layer with one variable, and cells that its checkpoints fit."""

from thalweg._src.contrib.cudnn_rnn.cells import CudnnCompatibleGRUCell as CudnnCompatibleGRUCell
from thalweg._src.contrib.cudnn_rnn.cells import CudnnCompatibleLSTMCell as CudnnCompatibleLSTMCell
from thalweg._src.contrib.cudnn_rnn.formats import CudnnParamsFormatConverterGRU as CudnnParamsFormatConverterGRU
from thalweg._src.contrib.cudnn_rnn.formats import CudnnParamsFormatConverterLSTM as CudnnParamsFormatConverterLSTM
from thalweg._src.contrib.cudnn_rnn.formats import CudnnParamsFormatConverterRelu as CudnnParamsFormatConverterRelu
from thalweg._src.contrib.cudnn_rnn.formats import CudnnParamsFormatConverterTanh as CudnnParamsFormatConverterTanh
from thalweg._src.contrib.cudnn_rnn.layers import CudnnGRU as CudnnGRU
from thalweg._src.contrib.cudnn_rnn.layers import CudnnLSTM as CudnnLSTM
from thalweg._src.contrib.cudnn_rnn.layers import CudnnRNNRelu as CudnnRNNRelu
from thalweg._src.contrib.cudnn_rnn.layers import CudnnRNNTanh as CudnnRNNTanh
from thalweg._src.contrib.cudnn_rnn.saveables import CudnnGRUSaveable as CudnnGRUSaveable
from thalweg._src.contrib.cudnn_rnn.saveables import CudnnLSTMSaveable as CudnnLSTMSaveable
from thalweg._src.contrib.cudnn_rnn.saveables import CudnnRNNReluSaveable as CudnnRNNReluSaveable
from thalweg._src.contrib.cudnn_rnn.saveables import CudnnRNNTanhSaveable as CudnnRNNTanhSaveable
