"""Changes of variables: by rows, and by the rules of optimizers."""
