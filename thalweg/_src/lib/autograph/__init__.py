"""Python functions whose `if`, `while` and `for` may be about tensors: their source is rewritten into calls that decide when they run.

`jumps` makes `return`, `break` and `continue` into assignments and conditions, `liveness` says which names are still needed where,
`statements` turns branches and loops into functions over those names, `expressions` replaces calls and operators that can't be overloaded,
`convert` compiles the result, and `operators` is what it calls: tf.cond and tf.while_loop for tensors, plain Python otherwise.
"""
