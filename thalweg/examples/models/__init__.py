"""tensorflow.models, as the tutorials of 2015 to 2017 imported it."""
