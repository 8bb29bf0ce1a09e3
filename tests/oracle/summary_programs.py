"""Programs over summaries and event files that run under TensorFlow 1.15 and under thalweg; each gives values for JSON.

`PROGRAMS[name](tf, np, folder)` runs in graph mode with a graph of its own. Numbers are compared with a tolerance,
everything else must be equal.
"""

import glob
import os

PROGRAMS = {}


def program(f):
    PROGRAMS[f.__name__] = f
    return f


def caught(f):
    try:
        f()
    except Exception as error:
        return type(error).__name__
    return "nothing"


def pixels(tf, data):
    with tf.Graph().as_default(), tf.Session() as session:
        return session.run(tf.image.decode_png(data)).tolist()


def shown(tf, summary):
    """The values of a Summary; pictures as pixels, because compressed bytes may differ."""
    if isinstance(summary, bytes):
        summary = tf.Summary.FromString(summary)
    out = []
    for v in summary.value:
        kind = v.WhichOneof("value")
        told = [v.tag, kind, v.metadata.plugin_data.plugin_name]
        if kind == "simple_value":
            told.append(v.simple_value)
        elif kind == "histo":
            h = v.histo
            told += [h.min, h.max, h.num, h.sum, h.sum_squares, list(h.bucket_limit), list(h.bucket)]
        elif kind == "image":
            i = v.image
            told += [i.height, i.width, i.colorspace, pixels(tf, i.encoded_image_string)]
        elif kind == "audio":
            a = v.audio
            told += [a.sample_rate, a.num_channels, a.length_frames, a.content_type, list(a.encoded_audio_string)]
        elif kind == "tensor":
            told.append(
                tf.make_ndarray(v.tensor).tolist() if v.tensor.dtype != 7 else [s.decode() for s in v.tensor.string_val]
            )
        out.append(told)
    return out


def events(tf, folder):
    """What stands in each event file of a folder, in order of the names."""
    out = []
    for path in sorted(glob.glob(os.path.join(folder, "*tfevents*"))):
        told = []
        for e in tf.train.summary_iterator(path):
            what = e.WhichOneof("what")
            told.append([what, e.step, shown(tf, e.summary) if what == "summary" else None])
        out.append(told)
    return out


def run(tf, fetches, feeds=None):
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run(fetches, feeds)


@program
def scalars(tf, np, folder):
    out = [shown(tf, run(tf, tf.summary.scalar("x", v))) for v in (1.5, np.int64(7), np.float16(0.1), np.uint8(200))]
    with tf.name_scope("layer"):
        a = tf.summary.scalar("loss", 1.0, family="train")
        b = tf.summary.scalar("loss", 2.0)
        c = tf.summary.scalar("odd name!", 3.0, collections=["mine"])
    out += [shown(tf, v) for v in run(tf, [a, b, c])]
    out.append([t.op.name for t in (a, b, c)])
    out.append([t.name for t in tf.get_collection(tf.GraphKeys.SUMMARIES)][-2:])
    out.append([t.name for t in tf.get_collection("mine")])
    out.append(caught(lambda: run(tf, tf.summary.scalar("two", [1.0, 2.0]))))
    return out


@program
def histograms(tf, np, folder):
    rng = np.random.RandomState(0)
    given = [
        rng.normal(size=50),
        np.array([3, -3, 0, 0, 7], np.int32),
        np.zeros([0], np.float32),
        np.float64(1e30),
        np.ones([2, 2], np.float16),
    ]
    out = [shown(tf, run(tf, tf.summary.histogram("h", v))) for v in given]
    for bad in (np.nan, np.inf, -np.inf):
        out.append(caught(lambda: run(tf, tf.summary.histogram("h", [1.0, bad]))))
    return out


@program
def images(tf, np, folder):
    rng = np.random.RandomState(1)
    grey = rng.uniform(size=[2, 3, 4, 1]).astype(np.float32)
    signed = rng.normal(size=[1, 3, 4, 3]).astype(np.float32)
    holes = signed.copy()
    holes[0, 1, 1, 0] = np.nan
    given = [
        (grey, 3),
        (grey, 1),
        (signed, 2),
        (holes, 3),
        (rng.randint(0, 256, [4, 2, 2, 4]).astype(np.uint8), 3),
        (grey.astype(np.float16), 1),
    ]
    out = [shown(tf, run(tf, tf.summary.image("i", v, max_outputs=n))) for v, n in given]
    out.append(caught(lambda: run(tf, tf.summary.image("i", np.zeros([1, 2, 2, 5], np.float32)))))
    out.append(caught(lambda: tf.summary.image("i", grey, max_outputs=0)))
    return out


@program
def sounds(tf, np, folder):
    wave = np.sin(np.arange(40, dtype=np.float32) / 3).reshape(2, 20)
    rate = tf.placeholder(tf.float32, [])
    out = [
        shown(tf, run(tf, tf.summary.audio("s", wave, 8000.0))),
        shown(tf, run(tf, tf.summary.audio("s", wave[..., None] * [1.0, 0.5], 44100, max_outputs=1))),
        shown(tf, run(tf, tf.summary.audio("s", wave * 3, rate), {rate: 16000.0})),
    ]
    out.append(caught(lambda: run(tf, tf.summary.audio("s", wave, -1.0))))
    return out


@program
def tensors(tf, np, folder):
    out = [
        shown(tf, run(tf, tf.summary.text("t", tf.constant([["a", "b"], ["c", "d"]])))),
        shown(tf, run(tf, tf.summary.text("t", tf.constant("*word*")))),
        shown(
            tf,
            run(
                tf,
                tf.summary.tensor_summary(
                    "x", [[1, 2], [3, 4]], summary_description="what", display_name="shown", family="f"
                ),
            ),
        ),
        caught(lambda: tf.summary.text("t", tf.constant(1.0))),
    ]
    summary = tf.Summary.FromString(
        run(tf, tf.summary.tensor_summary("y", 1.0, summary_description="what", display_name="shown"))
    )
    out.append([summary.value[0].metadata.display_name, summary.value[0].metadata.summary_description])
    return out


@program
def merging(tf, np, folder):
    with tf.name_scope("a"):
        x = tf.summary.scalar("x", 1.0)
    y = tf.summary.scalar("y", 2.0)
    out = [
        shown(tf, run(tf, m))
        for m in (tf.summary.merge([y, x]), tf.summary.merge_all(), tf.summary.merge_all(scope="a"))
    ]
    out += [tf.summary.merge_all("nothing"), tf.summary.merge_all().op.type, tf.summary.merge([x], name="mine").name]
    out.append(caught(lambda: run(tf, tf.summary.merge([x, x]))))
    out.append(caught(lambda: run(tf, tf.summary.merge([tf.constant("no summary")]))))
    return out


@program
def writer(tf, np, folder):
    w = tf.summary.FileWriter(folder, tf.get_default_graph())
    w.add_summary(run(tf, tf.summary.scalar("loss", 0.5)), 3)
    w.add_summary(tf.Summary(value=[tf.Summary.Value(tag="by hand", simple_value=2.0)]), np.int64(4))
    text = run(tf, tf.summary.text("t", tf.constant("word")))
    w.add_summary(text, 5)
    w.add_summary(text, 6)
    w.add_session_log(tf.SessionLog(status=tf.SessionLog.START), 7)
    w.add_graph(tf.Graph(), 8)
    w.add_meta_graph(tf.train.export_meta_graph(), 9)
    w.add_run_metadata(tf.RunMetadata(), "step9", 9)
    out = [
        caught(lambda: w.add_run_metadata(tf.RunMetadata(), "step9")),
        caught(lambda: w.add_graph("no graph")),
        caught(lambda: w.add_meta_graph("none")),
        w.get_logdir() == folder,
    ]
    w.flush()
    found = events(tf, folder)
    w.close()
    return out + [len(found), found[0], len(events(tf, folder)[0])]


@program
def contrib_writer(tf, np, folder):
    S = tf.contrib.summary
    step = tf.train.get_or_create_global_step()
    w = S.create_file_writer(folder, max_queue=0)
    with w.as_default(), S.always_record_summaries():
        with tf.name_scope("scope"):
            ops = [S.scalar("a", 2.0), S.histogram("h", [1.0, 2.0], family="f"), S.generic("g", [1, 2], step=4)]
        ops += [S.image("i", np.ones([1, 2, 2, 3], np.float32)), S.audio("s", np.zeros([1, 4], np.float32), 8000.0, 1)]
        flush = S.flush()
    made = [o.type for o in tf.get_default_graph().get_operations() if "Write" in o.type]
    with w.as_default(), S.record_summaries_every_n_global_steps(2):
        ops.append(S.scalar("even", 1.0))
    with w.as_default(), S.never_record_summaries():
        ops.append(S.scalar("never", 1.0))
    event = tf.placeholder(tf.string, [])
    with w.as_default():
        imported = S.import_event(event)
        graph = S.graph(tf.constant(tf.GraphDef().SerializeToString()), step=9)
    same = S.all_summary_ops() == ops
    bad = []
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        bad.append(caught(lambda: session.run(flush)))
        session.run(S.summary_writer_initializer_op())
        for _ in range(2):
            for o in ops:
                session.run(o)
            session.run(step.assign_add(1))
        session.run(imported, {event: tf.Event(step=77, file_version="mine").SerializeToString()})
        session.run(graph)
        bad.append(caught(lambda: session.run(imported, {event: b"\xff\xff"})))
        session.run(w.close())
        bad.append(caught(lambda: session.run(ops[0])))
    return [same, bad, events(tf, folder), made]


@program
def contrib_in_control_flow(tf, np, folder):
    """A summary in a branch or a loop is written although nothing depends on it."""
    S = tf.contrib.summary
    w = S.create_file_writer(folder, max_queue=0)
    take = tf.placeholder(tf.bool, [])
    with w.as_default(), S.always_record_summaries():

        def branch():
            S.scalar("taken", 1.0, step=1)
            return tf.constant(5.0)

        def body(i):
            S.scalar("turn", tf.cast(i, tf.float32), step=tf.cast(i, tf.int64))
            return i + 1

        chosen = tf.cond(take, branch, lambda: tf.constant(6.0))
        last = tf.while_loop(lambda i: i < 3, body, [0])
    with tf.Session() as session:
        session.run(S.summary_writer_initializer_op())
        values = [session.run(chosen, {take: t}) for t in (True, False)] + [session.run(last)]
        session.run(w.flush())
    return [float(v) for v in values] + [events(tf, folder), len(S.all_summary_ops())]


@program
def of_0_11(tf, np, folder):
    """The functions of TensorFlow 0.11, which 1.x keeps in tf.contrib.deprecated."""
    old = getattr(tf.contrib, "deprecated", None)
    f = {
        n: getattr(old, n)
        for n in ("scalar_summary", "histogram_summary", "image_summary", "audio_summary", "merge_summary")
    }
    a = f["scalar_summary"](["a b", "c"], [1.0, 2.0])
    h = f["histogram_summary"]("h/h", [1.0, -1.0], name="named")
    i = f["image_summary"]("i", np.ones([1, 1, 2, 1], np.float32))
    s = f["audio_summary"]("s", np.zeros([1, 3], np.float32), 8000)
    m = f["merge_summary"]([a, h, i, s])
    return [shown(tf, run(tf, m)), [t.op.name for t in (a, h, i, s, m)]]


@program
def session_writer(tf, np, folder):
    with tf.Session() as session:
        a = tf.summary.FileWriter(folder, session=session)
        b = tf.summary.FileWriter(folder, session=session)
        a.add_summary(tf.Summary(value=[tf.Summary.Value(tag="a", simple_value=1.0)]), 1)
        b.add_summary(tf.Summary(value=[tf.Summary.Value(tag="b", simple_value=2.0)]), 2)
        a.flush()
        b.close()
    return events(tf, folder)
