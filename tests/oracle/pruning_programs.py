"""Networks that are pruned, a family of contrib_programs.py. Kept to what Python 3.6 reads."""

import numpy as np

from oracle.public import raised

X = np.random.RandomState(0).randn(2, 6, 6, 3).astype("float32")
W = np.random.RandomState(1).randn(4, 6).astype("float32")


def names(values):
    return sorted(value.name for value in values)


def layered(tf):
    """The variables and collections of masked layers, and what they give once the masks are random."""
    p = tf.contrib.model_pruning
    with tf.Graph().as_default(), tf.Session() as session:
        h = p.masked_conv2d(tf.constant(X), 4, 3, stride=2, weights_regularizer=tf.contrib.layers.l2_regularizer(0.1))
        h = p.masked_fully_connected(tf.contrib.layers.flatten(h), 5, activation_fn=None, biases_initializer=None)
        cells = [p.MaskedBasicLSTMCell(3), p.MaskedLSTMCell(3, use_peepholes=True)]
        outputs = [cell(h, cell.zero_state(2, tf.float32))[0] for cell in cells]
        session.run(tf.global_variables_initializer())
        for i, v in enumerate(sorted(tf.global_variables(), key=lambda v: v.name)):
            value = np.random.RandomState(i).randn(*v.shape.as_list())
            v.load(np.float32(value > 0 if "mask" in v.name else value), session)
        found = [value.tolist() for value in session.run([h] + outputs)]
        kept = [names(f()) for f in (p.get_masks, p.get_thresholds, p.get_weights, p.get_masked_weights)]
        return [names(tf.global_variables()), names(tf.trainable_variables()), kept, found]


def pruned(steps=(0, 5, 50, 100), **options):
    """Mask and threshold after updates at several steps."""

    def run(tf):
        p = tf.contrib.model_pruning
        with tf.Graph().as_default(), tf.Session() as session:
            step = tf.train.get_or_create_global_step()
            w = tf.get_variable("w", initializer=W)
            p.apply_mask(w, "scope")
            pruning = p.Pruning(p.get_pruning_hparams().override_from_dict(options))
            update = pruning.conditional_mask_update_op()
            pruning.add_pruning_summaries()
            session.run(tf.global_variables_initializer())
            found = []
            for at in steps:
                step.load(at, session)
                session.run(update)
                values = p.get_masks() + p.get_thresholds() + p.get_weight_sparsity()
                found.append([value.tolist() for value in session.run(values)])
            return [names(tf.global_variables()), names(tf.get_collection("summaries")), found]

    return run


def stripped(tf):
    """The operations that are left of a frozen graph."""
    p = tf.contrib.model_pruning
    with tf.Graph().as_default(), tf.Session() as session:
        p.masked_fully_connected(tf.placeholder(tf.float32, [1, 4], name="x"), 2, scope="fc")
        session.run(tf.global_variables_initializer())
        graph = tf.get_default_graph().as_graph_def()
        frozen = tf.graph_util.convert_variables_to_constants(session, graph, ["fc/Relu"])
        return sorted((node.name, node.op) for node in p.strip_pruning_vars_fn(frozen, ["fc/Relu"]).node)


def refused(tf):
    p = tf.contrib.model_pruning
    tf.train.get_or_create_global_step()

    def made(**options):
        return raised(lambda: p.Pruning(p.get_pruning_hparams().override_from_dict(options)))

    return [
        made(begin_pruning_step=-1),
        made(begin_pruning_step=5, end_pruning_step=3),
        made(sparsity_function_begin_step=100),
        made(target_sparsity=1.0),
        made(weight_sparsity_map=["w:1.5"]),
        made(block_dims_map=["w:1"]),
        raised(p.masked_conv2d, tf.zeros([2, 3, 4]), 3, 3),
        raised(p.graph_def_from_checkpoint, "nowhere", ["x"]),
    ]


PRUNED = {
    "layers": layered,
    "by weight": pruned(),
    "decaying threshold": pruned(threshold_decay=0.5, initial_sparsity=0.25, target_sparsity=0.75),
    "by block": pruned(block_height=2, block_width=4),
    "by block, largest": pruned(block_dims_map=["w:-1x2"], block_pooling_function="MAX"),
    "until a step": pruned(end_pruning_step=10),
    "stripped": stripped,
    "refused": refused,
}
