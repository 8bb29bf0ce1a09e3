"""The workloads of input as TensorFlow 1 programs: one text for TensorFlow 1.15, 2.21 (compat.v1) and thalweg."""

import numpy as np

from benchmarks import input_files


def programs(tf):
    """name -> function of a workload that returns its step."""

    def fresh():
        tf.reset_default_graph()
        tf.set_random_seed(1)

    def training(x, y):
        """A step of the softmax regression on a batch of bytes and labels."""
        x = tf.cast(x, tf.float32) / 255.0
        weights, biases = tf.Variable(tf.zeros([784, 10])), tf.Variable(tf.zeros([10]))
        logits = tf.matmul(tf.reshape(x, [-1, 784]), weights) + biases
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
        return tf.train.GradientDescentOptimizer(0.1).minimize(loss), loss

    def records(workload):
        fresh()
        dataset = tf.data.TFRecordDataset(input_files.path("records")).batch(100)
        iterator = tf.data.make_initializable_iterator(dataset)
        batch, session = iterator.get_next(), tf.Session()

        def read_all():
            session.run(iterator.initializer)
            count = 0
            try:
                while True:
                    count += len(session.run(batch))
            except tf.errors.OutOfRangeError:
                return float(count)

        return read_all

    def pictures(workload):
        fresh()
        size, cut = workload.size["side"], workload.size["cut"]

        def one(name):
            image = tf.image.decode_jpeg(tf.read_file(name), channels=3)
            image = tf.image.random_flip_left_right(tf.random_crop(image, [cut, cut, 3]))
            return tf.image.resize_images(image, [size, size])

        names = [input_files.path(f"{i}.jpg") for i in range(input_files.PICTURES)]
        dataset = tf.data.Dataset.from_tensor_slices(names).repeat().map(one, num_parallel_calls=2)
        batch = tf.data.make_one_shot_iterator(dataset.batch(workload.size["batch"]).prefetch(1)).get_next()
        session = tf.Session()
        return lambda: float(session.run(batch)[0, 0, 0, 0])

    def feed(workload):
        fresh()
        images, labels = input_files.digits()
        x, y = tf.placeholder(tf.uint8, [None, 784]), tf.placeholder(tf.int32, [None])
        fetches, session, random = training(x, y), tf.Session(), np.random.RandomState(1)
        session.run(tf.global_variables_initializer())

        def step():
            rows = random.randint(0, len(images), 100)
            return float(session.run(fetches, {x: images[rows], y: labels[rows]})[1])

        return step

    def data(workload):
        fresh()
        images, labels = input_files.digits()
        x, y = tf.placeholder(tf.uint8, images.shape), tf.placeholder(tf.int32, labels.shape)
        dataset = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(images)).repeat().batch(100).prefetch(1)
        iterator = tf.data.make_initializable_iterator(dataset)
        fetches, session = training(*iterator.get_next()), tf.Session()
        session.run(tf.global_variables_initializer())
        session.run(iterator.initializer, {x: images, y: labels})
        return lambda: float(session.run(fetches)[1])

    def queue(workload):
        fresh()
        one = tf.train.slice_input_producer([tf.constant(part) for part in input_files.digits()])
        fetches = training(*tf.train.shuffle_batch(one, 100, capacity=2000, min_after_dequeue=1000))
        session, coordinator = tf.Session(), tf.train.Coordinator()
        session.run(tf.global_variables_initializer())
        threads = tf.train.start_queue_runners(session, coordinator)
        return _Running(lambda: float(session.run(fetches)[1]), session, coordinator, threads)

    return {
        "records": records,
        "pictures": pictures,
        "input-feed": feed,
        "input-data": data,
        "input-queue": queue,
    }


class _Running:
    """A step whose threads end with it."""

    def __init__(self, step, session, coordinator, threads):
        self.step, self.session, self.coordinator, self.threads = step, session, coordinator, threads

    def __call__(self):
        return self.step()

    def __del__(self):
        self.coordinator.request_stop()
        self.session.close()
        self.coordinator.join(self.threads, stop_grace_period_secs=5, ignore_live_threads=True)
