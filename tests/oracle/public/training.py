"""Training: rates that decay, checkpoints, sessions that are made for one, hooks, variables and their scopes, summaries."""

import os

import numpy as np

from . import raised

STEPS = (0, 4, 10, 25)


def rates(name, *args, **kwargs):
    """A rate at several steps."""
    return lambda tf: [getattr(tf.train, name)(0.5, tf.constant(s), *args, **kwargs) for s in STEPS]


DECAYS = {
    "tf.train.cosine_decay": rates("cosine_decay", 20, alpha=0.1),
    "tf.train.cosine_decay_restarts": rates("cosine_decay_restarts", 8, t_mul=1.5, m_mul=0.5),
    "tf.train.inverse_time_decay": rates("inverse_time_decay", 3, 0.5, staircase=True),
    "tf.train.linear_cosine_decay": rates("linear_cosine_decay", 20, num_periods=2.0),
    "tf.train.natural_exp_decay": rates("natural_exp_decay", 3, 0.5),
    "tf.train.noisy_linear_cosine_decay": lambda tf: [
        tf.train.noisy_linear_cosine_decay(0.5, tf.constant(s), 20, initial_variance=0.0) for s in STEPS
    ],
    "tf.train.piecewise_constant": lambda tf: [
        tf.train.piecewise_constant(tf.constant(s), [4, 12], [1.0, 0.5, 0.1]) for s in STEPS
    ],
    "tf.train.polynomial_decay": rates("polynomial_decay", 10, 0.1, power=2.0, cycle=True),
}


def fresh(f):
    """A program in a graph of its own, whose variables hold 0.0, 1.0, 2.0 ..."""

    def run(tf, folder):
        with tf.Graph().as_default(), tf.Session() as session:
            return f(tf, os.path.join(folder, f.__name__), session)

    return run


def saved(tf, folder, session):
    """A checkpoint of v = [1, 2] and step 7 in `folder`: its path."""
    os.makedirs(folder, exist_ok=True)
    v = tf.get_variable("v", initializer=np.float32([1, 2]))
    step = tf.train.get_or_create_global_step()
    session.run([v.initializer, step.assign(7)])
    return tf.train.Saver().save(session, os.path.join(folder, "model"), global_step=step)


@fresh
def exists(tf, folder, session):
    path = saved(tf, folder, session)
    found = [tf.train.checkpoint_exists(p) for p in (path, path + "x")]
    times = tf.train.get_checkpoint_mtimes([path])
    listed = sorted(os.listdir(folder))
    tf.train.remove_checkpoint(path)
    return [found, len(times), listed, sorted(os.listdir(folder))]


@fresh
def states(tf, folder, session):
    path = saved(tf, folder, session)
    state = tf.train.get_checkpoint_state(folder)
    tf.train.update_checkpoint_state(folder, path, [path], latest_filename="other")
    other = tf.train.get_checkpoint_state(folder, "other")
    made = tf.train.generate_checkpoint_state_proto(folder, path)
    return [os.path.basename(p) for p in [state.model_checkpoint_path, other.model_checkpoint_path]] + [
        made.model_checkpoint_path.replace(folder, ""),
        tf.train.get_checkpoint_state(folder + "nowhere") is None,
    ]


@fresh
def loaded(tf, folder, session):
    path = saved(tf, folder, session)
    reader = tf.train.load_checkpoint(folder)
    return [
        tf.train.load_variable(folder, "v"),
        sorted(reader.get_variable_to_shape_map().items()),
        raised(tf.train.load_variable, folder, "w"),
        next(iter(tf.train.checkpoints_iterator(folder, timeout=1))) == path,
    ]


@fresh
def initialized(tf, folder, session):
    saved(tf, folder, session)
    with tf.Graph().as_default(), tf.Session() as other:
        with tf.variable_scope("new"):
            v = tf.get_variable("v", [2])
            w = tf.get_variable("w", [2])
        tf.train.init_from_checkpoint(folder, {"v": "new/v"})
        tf.train.init_from_checkpoint(folder, {"v": w})
        other.run(tf.global_variables_initializer())
        return other.run([v, w])


@fresh
def warm(tf, folder, session):
    saved(tf, folder, session)
    with tf.Graph().as_default(), tf.Session() as other:
        v = tf.get_variable("v", [2], initializer=tf.zeros_initializer())
        u = tf.get_variable("u", [2], initializer=tf.zeros_initializer())
        tf.train.warm_start(folder, vars_to_warm_start="v")
        other.run(tf.global_variables_initializer())
        return other.run([v, u])


@fresh
def vocabulary(tf, folder, session):
    info = tf.train.VocabInfo("new.txt", 3, 1, "old.txt", 2, None, 1)
    return [info.new_vocab, info.new_vocab_size, info.num_oov_buckets, info.old_vocab, info.old_vocab_size, info.axis]


@fresh
def managed(tf, folder, session):
    v = tf.Variable(3.0)
    checkpoint = tf.train.Checkpoint(v=v)
    session.run(v.initializer)
    manager = tf.train.CheckpointManager(checkpoint, folder, max_to_keep=2)
    with session.as_default():
        paths = [os.path.basename(manager.save()) for _ in range(3)]
    return [paths, [os.path.basename(p) for p in manager.checkpoints], os.path.basename(manager.latest_checkpoint)]


@fresh
def prepared(tf, folder, session):
    path = saved(tf, folder, session)
    with tf.Graph().as_default():
        v = tf.get_variable("v", [2])
        tf.train.get_or_create_global_step()
        saver = tf.train.Saver()
        manager = tf.train.SessionManager()
        made, restored = manager.recover_session("", saver, folder)
        value = made.run(v)
        made.close()
    with tf.Graph().as_default():
        v = tf.Variable([5.0])
        other = tf.train.SessionManager().prepare_session("", init_op=tf.global_variables_initializer())
        return [restored, value, other.run(v), os.path.basename(path)]


@fresh
def creators(tf, folder, session):
    saved(tf, folder, session)
    with tf.Graph().as_default():
        v = tf.get_variable("v", [2])
        tf.train.get_or_create_global_step()
        scaffold = tf.train.Scaffold()
        chief = tf.train.ChiefSessionCreator(scaffold, checkpoint_dir=folder)
        with tf.train.MonitoredSession(session_creator=chief) as made:
            value = made.run(v)
        worker = tf.train.WorkerSessionCreator(scaffold)
        kinds = [isinstance(c, tf.train.SessionCreator) for c in (chief, worker)]
        return [value, kinds, scaffold.saver is not None, scaffold.init_op.type, scaffold.ready_op is not None]


@fresh
def singular(tf, folder, session):
    step = tf.train.get_or_create_global_step()
    on, wrong = tf.assign_add(step, 3), raised(tf.train.assert_global_step, tf.constant(1.0))
    with tf.train.SingularMonitoredSession() as made:
        made.run(on)
        return [tf.train.global_step(made.raw_session(), step), wrong]


@fresh
def hooked(tf, folder, session):
    """Which methods a hook is called by, and what it may ask for."""
    calls = []
    step = tf.train.get_or_create_global_step()
    loss = tf.identity(tf.cast(step, tf.float32), name="loss")
    step_on = tf.assign_add(step, 1)

    class Hook(tf.train.SessionRunHook):
        def begin(self):
            calls.append("begin")

        def after_create_session(self, session, coord):
            calls.append("created")

        def before_run(self, run_context):
            calls.append(isinstance(run_context, tf.train.SessionRunContext))
            calls.append(run_context.original_args.fetches is step_on)
            return tf.train.SessionRunArgs(loss, feed_dict={loss: 5.0})

        def after_run(self, run_context, run_values):
            calls.append(isinstance(run_values, tf.train.SessionRunValues))
            calls.append(float(run_values.results))
            run_context.request_stop()

        def end(self, session):
            calls.append("end")

    with tf.train.MonitoredSession(hooks=[Hook()]) as made:
        made.run(step_on)
        calls.append(made.should_stop())
    return calls


@fresh
def hooks(tf, folder, session):
    """Hooks of TensorFlow's in one training of six steps, and what they leave."""
    step = tf.train.get_or_create_global_step()
    loss = tf.cast(step, tf.float32) * 2.0
    tf.summary.scalar("loss", loss)
    step_on = tf.assign_add(step, 1)
    x = tf.placeholder_with_default(1.0, [])
    told, heard = [], []

    class Listener(tf.train.CheckpointSaverListener):
        def after_save(self, session, global_step_value):
            heard.append(int(global_step_value))

    logging = tf.train.LoggingTensorHook(
        {"loss": loss}, every_n_iter=2, formatter=lambda v: told.append(sorted(v)) or ""
    )
    final = tf.train.FinalOpsHook(loss + x)
    wait = tf.train.GlobalStepWaiterHook(0)
    all_hooks = [
        logging,
        final,
        wait,
        tf.train.FeedFnHook(lambda: {x: 3.0}),
        tf.train.NanTensorHook(loss, fail_on_nan_loss=False),
        tf.train.StopAtStepHook(last_step=6),
        tf.train.CheckpointSaverHook(folder, save_steps=4, listeners=[Listener()]),
        tf.train.StepCounterHook(every_n_steps=3, output_dir=folder),
        tf.train.SummarySaverHook(
            save_steps=2, output_dir=folder, scaffold=tf.train.Scaffold(summary_op=tf.summary.merge_all())
        ),
        tf.train.ProfilerHook(save_steps=100, output_dir=folder),
    ]
    with tf.train.MonitoredSession(hooks=all_hooks) as made:
        while not made.should_stop():
            made.run(step_on)
    tf.summary.FileWriterCache.clear()
    tags = set()
    for name in sorted(os.listdir(folder)):
        if "events" in name:
            for event in tf.train.summary_iterator(os.path.join(folder, name)):
                tags.update((event.step, v.tag) for v in event.summary.value if v.tag == "loss")
    return [told, heard, float(final.final_ops_values), sorted(tags)]


@fresh
def not_a_number(tf, folder, session):
    x = tf.constant(float("nan"))

    def train():
        with tf.train.MonitoredSession(hooks=[tf.train.NanTensorHook(x)]) as made:
            made.run(x)

    return [raised(train), issubclass(tf.train.NanLossDuringTrainingError, RuntimeError)]


@fresh
def timer(tf, folder, session):
    t = tf.train.SecondOrStepTimer(every_steps=3)
    triggered = []
    for step in range(8):
        if t.should_trigger_for_step(step):
            triggered.append(step)
            t.update_last_triggered_step(step)
    return [triggered, t.last_triggered_step()]


@fresh
def looped(tf, folder, session):
    coordinator, turns = tf.train.Coordinator(), []

    def turn():
        turns.append(1)
        if len(turns) == 3:
            coordinator.request_stop()

    thread = tf.train.LooperThread.loop(coordinator, None, turn)
    coordinator.join([thread])
    return len(turns)


@fresh
def batches(tf, folder, session):
    """The batch functions that keep what a tensor tells."""
    x = tf.train.limit_epochs(tf.constant(3), 8)
    keep = tf.constant([True, False, True])
    shuffled = tf.train.maybe_shuffle_batch([x], 2, 8, 0, keep_input=True)
    joined = tf.train.maybe_batch_join([[tf.constant([1, 2, 3])]], keep, 2, enqueue_many=True)
    both = tf.train.maybe_shuffle_batch_join([[tf.constant([4, 4, 4])]], 2, 8, 0, keep, enqueue_many=True)
    session.run(tf.local_variables_initializer())
    coordinator = tf.train.Coordinator()
    threads = tf.train.start_queue_runners(session, coordinator)
    values = session.run([shuffled, joined, both])
    coordinator.request_stop()
    session.run([q.cancel_op for q in tf.get_collection(tf.GraphKeys.QUEUE_RUNNERS)])
    coordinator.join(threads)
    return [v[0] if isinstance(v, list) else v for v in values]


@fresh
def runner(tf, folder, session):
    queue = tf.FIFOQueue(3, tf.int32)
    tf.train.add_queue_runner(tf.train.QueueRunner(queue, [queue.enqueue(2)]), "mine")
    return [len(tf.get_collection("mine")), tf.get_collection("mine")[0].name]


@fresh
def optimizer(tf, folder, session):
    v = tf.get_variable("v", initializer=3.0)
    o = tf.train.Optimizer(use_locking=False, name="Mine")
    pairs = o.compute_gradients(v * v)
    session.run(v.initializer)
    return [session.run(pairs[0][0]), o.get_name(), raised(o.apply_gradients, pairs), o.get_slot_names()]


TRAINING = {
    "tf.train.checkpoint_exists": exists,
    "tf.train.get_checkpoint_mtimes": lambda tf, folder: tf.train.get_checkpoint_mtimes([os.path.join(folder, "none")]),
    "tf.train.remove_checkpoint": lambda tf, folder: tf.train.remove_checkpoint(os.path.join(folder, "none")),
    "tf.train.get_checkpoint_state": states,
    "tf.train.update_checkpoint_state": lambda tf, folder: raised(
        tf.train.update_checkpoint_state, os.path.join(folder, "no", "folder"), "model"
    ),
    "tf.train.generate_checkpoint_state_proto": lambda tf: list(
        tf.train.generate_checkpoint_state_proto("/a", "/b/c", ["/b/d", "/b/c"]).all_model_checkpoint_paths
    ),
    "tf.train.load_checkpoint": loaded,
    "tf.train.load_variable": lambda tf, folder: raised(tf.train.load_variable, os.path.join(folder, "none"), "v"),
    "tf.train.checkpoints_iterator": lambda tf, folder: list(
        tf.train.checkpoints_iterator(folder + "none", timeout=0, timeout_fn=lambda: True)
    ),
    "tf.train.init_from_checkpoint": initialized,
    "tf.train.warm_start": warm,
    "tf.train.VocabInfo": vocabulary,
    "tf.train.CheckpointManager": managed,
    "tf.train.SessionManager": prepared,
    "tf.train.Scaffold": creators,
    "tf.train.SingularMonitoredSession": singular,
    "tf.train.SessionRunHook": hooked,
    "tf.train.LoggingTensorHook": hooks,
    "tf.train.NanTensorHook": not_a_number,
    "tf.train.SecondOrStepTimer": timer,
    "tf.train.LooperThread": looped,
    "tf.train.maybe_shuffle_batch": batches,
    "tf.train.add_queue_runner": runner,
    "tf.train.Optimizer": optimizer,
}
TABLES = {"decays": DECAYS, "training": TRAINING}
