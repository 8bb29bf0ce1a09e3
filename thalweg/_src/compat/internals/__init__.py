"""Internal modules of TensorFlow that programs import, where no single module of ours stands behind them."""
