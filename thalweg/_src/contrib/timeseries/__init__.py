"""Time series: readers and windows, autoregressive models, models of one step at a time, estimators around them."""
