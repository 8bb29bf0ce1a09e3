"""The code blocks of the seed documents that belong to graphs, sessions, variables, scopes, regression and digits.

Each block is a function of (tf, np) that runs the statements of a slide, in their original order of arguments, and
returns what they print or leave. What a slide takes for granted (data, sizes) is made here from a fixed
generator; random initial values are fed, so that results can be compared. Mended: a missing parenthesis in
`tf.Variable(tf.random_normal(...)`, a scalar fed where the placeholder is a vector, two names for one placeholder.
Runs on Python 3.6 and newer.
"""

BLOCKS = {}


def block(function):
    BLOCKS[function.__name__] = function
    return function


def line(np, n, noise=0.01):
    """Samples of the mystery equation y = 0.1 x + 0.3 + noise."""
    r = np.random.RandomState(3)
    x = r.rand(n).astype("float32")
    return x, (0.1 * x + 0.3 + noise * r.randn(n)).astype("float32")


def digits(np, n, pixels=64, classes=10):
    """Images of ten patterns under noise, and their labels, one-hot."""
    r = np.random.RandomState(5)
    patterns = r.rand(classes, pixels) > 0.6
    labels = np.arange(n) % classes
    images = (patterns[labels] + 0.3 * r.randn(n, pixels)).astype("float32")
    return images, np.eye(classes, dtype="float32")[labels]


# Introduction to TensorFlow, Singapore 2016.


@block
def add_two_constants(tf, np):
    a = tf.constant(1)
    b = tf.constant(2)
    c = tf.add(a, b)

    session = tf.Session()
    value_of_c = session.run(c)
    return value_of_c, [op.name for op in tf.get_default_graph().get_operations()], str(c)


@block
def whats_the_output(tf, np):
    my_var = tf.Variable(0)
    add_op = tf.add(my_var, 1)
    assign_op = tf.assign(my_var, add_op)

    session = tf.Session()
    session.run(tf.global_variables_initializer())

    printed = []
    for _ in range(3):
        printed.append(session.run(assign_op))
    return printed, my_var.name


@block
def inference(tf, np):
    x = tf.placeholder(shape=[None], dtype=tf.float32, name="x")
    W = tf.Variable(tf.random_normal([1], name="W"))
    b = tf.Variable(tf.random_normal([1], name="b"))
    y = W * x + b
    x_in = 3

    with tf.Session() as sess:
        sess.run(tf.initialize_all_variables(), feed_dict={"W:0": [0.5], "b:0": [-1.0]})
        try:
            sess.run(y, feed_dict={x: x_in})
            error = None
        except ValueError:
            error = "ValueError"
        return sess.run(y, feed_dict={x: [x_in]}), error, [v.name for v in (x, W, b)], y.get_shape().as_list()


@block
def variables_must_be_initialized(tf, np):
    x = tf.placeholder(shape=[None], dtype=tf.float32, name="x")
    W = tf.Variable(tf.random_normal([1], name="W"))
    b = tf.Variable(tf.random_normal([1], name="b"))
    y = W * x + b
    with tf.Session() as sess:
        try:
            sess.run(y, feed_dict={x: [3.0]})
            return "no error"
        except tf.errors.FailedPreconditionError as e:
            return type(e).__name__


@block
def all_placeholders_must_be_fed(tf, np):
    x = tf.placeholder(shape=[None], dtype=tf.float32, name="x")
    y = 2.0 * x
    with tf.Session() as sess:
        try:
            sess.run(y)
            return "no error"
        except tf.errors.InvalidArgumentError as e:
            return type(e).__name__, sess.run(y, feed_dict={y: [7.0]})


@block
def linear_regression(tf, np):
    x_data, y_data = line(np, 1000)
    x = tf.placeholder(shape=[None], dtype=tf.float32, name="x")
    y_label = tf.placeholder(shape=[None], dtype=tf.float32, name="y_label")
    W = tf.Variable(tf.random_normal([1], name="W"))
    b = tf.Variable(tf.random_normal([1], name="b"))
    y = W * x + b

    loss = tf.reduce_mean(tf.square(y - y_label))
    optimizer = tf.train.GradientDescentOptimizer(0.5)
    train = optimizer.minimize(loss)

    with tf.Session() as sess:
        sess.run(tf.initialize_all_variables(), feed_dict={"W:0": [0.5], "b:0": [-1.0]})

        for i in range(1000):
            sess.run(train, feed_dict={x: [x_data[i]], y_label: [y_data[i]]})
        return sess.run([W, b]), sess.run(loss, {x: x_data, y_label: y_data})


@block
def optimizers_of_the_list(tf, np):
    x_data, y_data = line(np, 50)
    step = tf.Variable(np.int64(0), trainable=False)
    kinds = [
        tf.train.GradientDescentOptimizer(0.1),
        tf.train.AdadeltaOptimizer(0.1),
        tf.train.AdagradOptimizer(0.1),
        tf.train.AdagradDAOptimizer(0.1, step),
        tf.train.AdamOptimizer(0.1),
    ]
    results = []
    for optimizer in kinds:
        W = tf.Variable([0.5])
        b = tf.Variable([-1.0])
        loss = tf.reduce_mean(tf.square(W * x_data + b - y_data))
        train = optimizer.minimize(loss)
        with tf.Session() as sess:
            sess.run(tf.initialize_all_variables())
            first = sess.run(loss)
            for _ in range(10):
                sess.run(train)
            # 0.12 computes the step of Adadelta again after its accumulator has moved; 1.x does not.
            exact = not isinstance(optimizer, tf.train.AdadeltaOptimizer)
            results.append(sess.run([W, b, loss]) if exact else bool(sess.run(loss) < first))
    return results


@block
def basic_mnist(tf, np):
    NUM_PIXELS, NUM_CLASSES, LEARNING_RATE, TRAIN_STEPS, BATCH_SIZE = 64, 10, 0.5, 60, 20
    images, labels = digits(np, 300)
    x = tf.placeholder(tf.float32, [None, NUM_PIXELS], name="pixels")
    y_ = tf.placeholder(tf.float32, [None, NUM_CLASSES], name="labels")

    W = tf.Variable(tf.zeros([NUM_PIXELS, NUM_CLASSES]), name="weights")

    b = tf.Variable(tf.zeros([NUM_CLASSES]), name="biases")

    y = tf.matmul(x, W) + b

    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(y, y_))

    train_step = tf.train.GradientDescentOptimizer(LEARNING_RATE).minimize(loss)

    sess = tf.Session()
    sess.run(tf.initialize_all_variables())
    for i in range(TRAIN_STEPS):
        at = i * BATCH_SIZE % 200
        batch_xs, batch_ys = images[at : at + BATCH_SIZE], labels[at : at + BATCH_SIZE]
        sess.run(train_step, feed_dict={x: batch_xs, y_: batch_ys})

    correct_prediction = tf.equal(tf.argmax(y, 1), tf.argmax(y_, 1))
    accuracy = tf.reduce_mean(tf.cast(correct_prediction, tf.float32))
    test = {x: images[200:], y_: labels[200:]}
    return (
        "Accuracy %f" % sess.run(accuracy, feed_dict=test),
        sess.run([loss, b], test),
        [v.name for v in tf.trainable_variables()],
    )


@block
def softmax_of_a_matrix_multiply(tf, np):
    r = np.random.RandomState(1)
    X, W, b = (tf.constant(r.randn(*s).astype("float32")) for s in ((5, 784), (784, 10), (10,)))
    Y = tf.nn.softmax(tf.matmul(X, W * 0.05) + b)
    return tf.Session().run(Y), Y.get_shape().as_list()


@block
def deep_mnist(tf, np):
    NUM_PIXELS, HIDDEN1_UNITS, NUM_CLASSES = 64, 16, 10
    images, labels = digits(np, 300)
    start = {}

    def weight_variable(inputs, outputs):
        v = tf.Variable(tf.truncated_normal([inputs, outputs], stddev=0.1), name="weights")
        start[v.initial_value] = np.random.RandomState(inputs).randn(inputs, outputs) * 0.1
        return v

    def bias_variable(outputs, name="biases"):
        return tf.Variable(tf.constant(0.1, shape=[outputs]), name=name)

    x = tf.placeholder(tf.float32, [None, NUM_PIXELS], name="pixels")
    y_ = tf.placeholder(tf.float32, [None, NUM_CLASSES], name="labels")
    weights1 = weight_variable(NUM_PIXELS, HIDDEN1_UNITS)
    biases1 = bias_variable(HIDDEN1_UNITS)
    hidden1 = tf.nn.relu(tf.matmul(x, weights1) + biases1)
    weights2 = weight_variable(HIDDEN1_UNITS, NUM_CLASSES)
    biases2 = bias_variable(NUM_CLASSES, "biases2")
    y = tf.matmul(hidden1, weights2) + biases2
    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(y, y_))
    train_step = tf.train.GradientDescentOptimizer(0.5).minimize(loss)
    sess = tf.Session()
    sess.run(tf.initialize_all_variables(), start)
    losses = [sess.run([train_step, loss], {x: images[:200], y_: labels[:200]})[1] for _ in range(20)]
    return losses, [v.name for v in tf.all_variables()]


@block
def convolved_feature(tf, np):
    image = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]], "float32")
    kernel = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]], "float32")
    out = tf.nn.conv2d(image.reshape(1, 5, 5, 1), kernel.reshape(3, 3, 1, 1), [1, 1, 1, 1], "VALID")
    return tf.Session().run(tf.squeeze(out))


@block
def max_pool_of_the_slide(tf, np):
    single_depth_slice = np.array([[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]], "float32")
    out = tf.nn.max_pool(single_depth_slice.reshape(1, 4, 4, 1), [1, 2, 2, 1], [1, 2, 2, 1], "VALID")
    return tf.Session().run(tf.squeeze(out))


# Introduction to Machine Learning, Munich 2016.


@block
def recipe_for_a_convolution(tf, np):
    image = np.array([[0.4, 0.9, 0.1], [0.7, 0.2, 0.6], [0.8, 0.3, 0.5]], "float32")
    kernel = np.array([[5.7, 2.4], [3.1, 0.9]], "float32")
    out = tf.nn.conv2d(image.reshape(1, 3, 3, 1), kernel.reshape(2, 2, 1, 1), strides=[1, 1, 1, 1], padding="VALID")
    return tf.Session().run(tf.squeeze(out))


@block
def tanh_of_a_neuron(tf, np):
    x, w, b = tf.placeholder(tf.float32, [3, 1]), tf.Variable([[0.5], [-1.0], [2.0]]), tf.Variable(0.1)
    y = tf.tanh(tf.matmul(tf.transpose(x), w) + b)
    with tf.Session() as session:
        session.run(tf.initialize_all_variables())
        return session.run(y, {x: [[1.0], [2.0], [0.5]]})


# Lecture notes for machine learning in Python, 2016.


@block
def tensors_by_the_session(tf, np):
    a = tf.constant(5.0)
    b = tf.constant(6.0)
    c = a * b
    with tf.Session() as sess:
        return sess.run(c), c.eval(), c.name, c.get_shape().as_list()


@block
def numpy_beside_tensorflow(tf, np):
    a = tf.zeros((2, 2))
    b = tf.ones((2, 2))
    out = [
        tf.reduce_sum(a, reduction_indices=[1]),
        tf.reshape(a, (1, 4)),
        b * 5 + 1,
        tf.matmul(a, b),
        a[0, 0],
        a[:, 0],
        a[0, :],
    ]
    with tf.Session() as sess:
        return sess.run(out), a.get_shape().as_list(), [t.get_shape().as_list() for t in out]


@block
def network_functions(tf, np):
    r = np.random.RandomState(9)
    features = r.randn(2, 5).astype("float32")
    labels = r.rand(2, 5).astype("float32")
    value1, filters1 = r.randn(2, 7, 3).astype("float32"), r.randn(3, 3, 4).astype("float32")
    value2, filters2 = r.randn(2, 5, 5, 3).astype("float32"), r.randn(3, 3, 3, 4).astype("float32")
    out = [
        tf.nn.relu(features, name=None),
        tf.nn.bias_add(features, np.arange(5, dtype="float32"), data_format=None, name=None),
        tf.sigmoid(features, name=None),
        tf.tanh(features, name=None),
        tf.nn.conv2d(input=value2, filter=filters2, strides=[1, 1, 1, 1], padding="SAME"),
        tf.nn.conv1d(value=value1, filters=filters1, stride=2, padding="VALID"),
        tf.nn.sigmoid_cross_entropy_with_logits(logits=features, targets=labels),
        tf.nn.sigmoid_cross_entropy_with_logits(features, labels),
        tf.nn.softmax(features, dim=-1),
        tf.nn.log_softmax(features, dim=-1),
        tf.nn.softmax_cross_entropy_with_logits(features, labels, dim=-1),
        tf.nn.softmax_cross_entropy_with_logits(logits=features, labels=labels, dim=-1),
    ]
    with tf.Session() as sess:
        return sess.run(out), [t.get_shape().as_list() for t in out]


@block
def network_functions_in_three_dimensions(tf, np):
    r = np.random.RandomState(9)
    value, filter = r.randn(1, 3, 4, 4, 2).astype("float32"), r.randn(2, 2, 2, 2, 3).astype("float32")
    strides = [1, 1, 2, 2, 1]
    out = tf.nn.conv3d(input=value, filter=filter, strides=strides, padding="SAME")
    back = tf.nn.conv3d_transpose(value=out, filter=filter, output_shape=[1, 3, 4, 4, 2], strides=strides)
    with tf.Session() as sess:
        return sess.run([out, back])


@block
def immutable_and_mutable(tf, np):
    W1 = tf.ones((2, 2))
    W2 = tf.Variable(tf.zeros((2, 2)), name="weights")
    with tf.Session() as sess:
        first = sess.run(W1)
        sess.run(tf.initialize_all_variables())
        return first, sess.run(W2), W2.name


@block
def random_weights(tf, np):
    W = tf.Variable(tf.zeros((2, 2)), name="weights")
    R = tf.Variable(tf.random_normal((2, 2)), name="random_weights")
    with tf.Session() as sess:
        sess.run(tf.initialize_all_variables())
        return sess.run(W), W.name, R.name, sess.run(R).shape


@block
def fetch_several(tf, np):
    input1 = tf.constant(3.0)
    input2 = tf.constant(2.0)
    input3 = tf.constant(5.0)
    intermed = tf.add(input2, input3)
    mul = tf.mul(input1, intermed)
    with tf.Session() as sess:
        result = sess.run([mul, intermed])
        return result


@block
def stream_in(tf, np):
    input1 = tf.placeholder(tf.float32)

    input2 = tf.placeholder(tf.float32)

    output = tf.mul(input1, input2)

    with tf.Session() as sess:
        return sess.run([output], feed_dict={input1: [7.0], input2: [2.0]})


@block
def variable_scopes(tf, np):
    with tf.variable_scope("foo"):
        v = tf.get_variable("v", [1])
    assert v.name == "foo/v:0"

    with tf.variable_scope("foo", reuse=True):
        v1 = tf.get_variable("v", [1])
    try:
        with tf.variable_scope("foo"):
            tf.get_variable("v", [1])
        error = None
    except ValueError:
        error = "ValueError"
    return v.name, v1 is v, error


@block
def image_filter_of_variables(tf, np):
    def my_image_filter(input_images):
        conv1_weights = tf.Variable(tf.random_normal([5, 5, 32, 32]), name="conv1_weights")
        conv1_biases = tf.Variable(tf.zeros([32]), name="conv1_biases")
        conv1 = tf.nn.conv2d(input_images, conv1_weights, strides=[1, 1, 1, 1], padding="SAME")
        relu1 = tf.nn.relu(conv1 + conv1_biases)

        conv2_weights = tf.Variable(tf.random_normal([5, 5, 32, 32]), name="conv2_weights")
        conv2_biases = tf.Variable(tf.zeros([32]), name="conv2_biases")
        conv2 = tf.nn.conv2d(relu1, conv2_weights, strides=[1, 1, 1, 1], padding="SAME")
        return tf.nn.relu(conv2 + conv2_biases)

    return filtered(tf, np, my_image_filter)


@block
def image_filter_of_scopes(tf, np):
    def conv_relu(input, kernel_shape, bias_shape):
        # Create variable named "weights".
        weights = tf.get_variable("weights", kernel_shape, initializer=tf.random_normal_initializer())
        # Create variable named "biases".
        biases = tf.get_variable("biases", bias_shape, initializer=tf.constant_initializer(0.0))
        conv = tf.nn.conv2d(input, weights, strides=[1, 1, 1, 1], padding="SAME")
        return tf.nn.relu(conv + biases)

    def my_image_filter(input_images):
        with tf.variable_scope("conv1"):
            # Variables created here will be named "conv1/weights", "conv1/biases".
            relu1 = conv_relu(input_images, [5, 5, 32, 32], [32])
        with tf.variable_scope("conv2"):
            # Variables created here will be named "conv2/weights", "conv2/biases".
            return conv_relu(relu1, [5, 5, 32, 32], [32])

    return filtered(tf, np, my_image_filter)


def filtered(tf, np, my_image_filter):
    """The names of the variables of a filter, and its result from fixed weights."""
    r = np.random.RandomState(2)
    out = my_image_filter(tf.constant(r.rand(1, 4, 4, 32).astype("float32")))
    variables = tf.all_variables()
    start = {v.initial_value: r.randn(*v.get_shape().as_list()) * 0.05 for v in variables}
    with tf.Session() as sess:
        sess.run(tf.initialize_all_variables(), start)
        return [v.name for v in variables], sess.run(out)[0, 1, 2], out.get_shape().as_list()


def regression_of_the_lecture(tf, np):
    n_samples, r = 100, np.random.RandomState(4)
    X_data = np.arange(100, step=1.0).reshape(n_samples, 1) / 20
    y_data = X_data * 1.5 + 2 + r.randn(n_samples, 1) * 0.1
    X = tf.placeholder(tf.float32, shape=(None, 1))
    y = tf.placeholder(tf.float32, shape=(None, 1))
    # Define variables to be learned
    with tf.variable_scope("linear-regression"):
        W = tf.get_variable("weights", (1, 1), initializer=tf.random_normal_initializer())
        b = tf.get_variable("bias", (1,), initializer=tf.constant_initializer(0.0))
        y_pred = tf.matmul(X, W) + b
        loss = tf.reduce_sum((y - y_pred) ** 2 / n_samples)
    return n_samples, X_data, y_data, X, y, W, b, loss


@block
def differentiation(tf, np):
    n_samples, X_data, y_data, X, y, W, b, loss = regression_of_the_lecture(tf, np)
    opt = tf.train.AdamOptimizer()
    opt_operation = opt.minimize(loss)
    with tf.Session() as sess:
        sess.run(tf.initialize_all_variables(), {W.initial_value: [[0.25]]})
        sess.run([opt_operation], feed_dict={X: X_data, y: y_data})
        return sess.run([W, b]), [v.name for v in tf.trainable_variables()], [v.name for v in tf.all_variables()]


@block
def mini_batching(tf, np):
    n_samples, X_data, y_data, X, y, W, b, loss = regression_of_the_lecture(tf, np)
    batch_size = 20
    np.random.seed(0)
    opt = tf.train.AdamOptimizer()
    opt_operation = opt.minimize(loss)

    with tf.Session() as sess:
        # Initialize Variables in graph
        sess.run(tf.initialize_all_variables(), {W.initial_value: [[0.25]]})
        # Gradient descent loop for 500 steps
        for _ in range(500):
            # Select random minibatch
            indices = np.random.choice(n_samples, batch_size)
            X_batch, y_batch = X_data[indices], y_data[indices]
            # Do gradient descent step
            _, loss_val = sess.run([opt_operation, loss], feed_dict={X: X_batch, y: y_batch})
        return loss_val, sess.run([W, b])


# Recurrent networks in TensorFlow: the lecture's program by hand, and with a cell.


def sequence_data(np, batch_size, num_steps):
    """Bits, and bits that depend on those three and eight places before (r2rt.com)."""
    r = np.random.RandomState(0)
    X = r.choice(2, 4000)
    odds = 0.5 + 0.5 * np.roll(X, 3) - 0.25 * np.roll(X, 8)
    Y = (r.rand(4000) < odds).astype("int32")
    for i in range(20):
        at = np.arange(batch_size)[:, None] * 190 + i * num_steps + np.arange(num_steps)
        yield X[at].astype("int32"), Y[at]


def trained(tf, np, feeds, fetches, train_step):
    """Losses over 20 steps from weights that depend on their shapes alone; the state goes on."""
    x, y, init_state = feeds
    losses = []
    with tf.Session() as sess:
        sess.run(tf.initialize_all_variables())
        for v in tf.trainable_variables():
            shape = v.get_shape().as_list()
            sess.run(v.assign(0.5 * np.sin(1.7 * np.arange(np.prod(shape))).reshape(shape)))
        training_state = np.zeros((20, 4))
        for X, Y in sequence_data(np, 20, 5):
            loss, training_state, _ = sess.run(list(fetches) + [train_step], {x: X, y: Y, init_state: training_state})
            losses.append(loss)
    return losses, training_state


@block
def rnn_by_hand(tf, np):
    batch_size, num_steps, num_classes, state_size, learning_rate = 20, 5, 2, 4, 0.1
    x = tf.placeholder(tf.int32, [batch_size, num_steps], name="input_placeholder")
    y = tf.placeholder(tf.int32, [batch_size, num_steps], name="labels_placeholder")
    init_state = tf.zeros([batch_size, state_size])
    x_one_hot = tf.one_hot(x, num_classes)
    rnn_inputs = tf.unpack(x_one_hot, axis=1)
    with tf.variable_scope("rnn_cell"):
        W = tf.get_variable("W", [num_classes + state_size, state_size])
        b = tf.get_variable("b", [state_size], initializer=tf.constant_initializer(0.0))

    def rnn_cell(rnn_input, state):
        with tf.variable_scope("rnn_cell", reuse=True):
            W = tf.get_variable("W", [num_classes + state_size, state_size])
            b = tf.get_variable("b", [state_size], initializer=tf.constant_initializer(0.0))
        return tf.tanh(tf.matmul(tf.concat(1, [rnn_input, state]), W) + b)

    state = init_state
    rnn_outputs = []
    for rnn_input in rnn_inputs:
        state = rnn_cell(rnn_input, state)
        rnn_outputs.append(state)
    final_state = rnn_outputs[-1]

    # logits and predictions
    with tf.variable_scope("softmax"):
        W = tf.get_variable("W", [state_size, num_classes])
        b = tf.get_variable("b", [num_classes], initializer=tf.constant_initializer(0.0))
    logits = [tf.matmul(rnn_output, W) + b for rnn_output in rnn_outputs]
    # Turn our y placeholder into a list labels
    y_as_list = [tf.squeeze(i, squeeze_dims=[1]) for i in tf.split(1, num_steps, y)]
    # losses and train_step
    losses = [tf.nn.sparse_softmax_cross_entropy_with_logits(logit, label) for logit, label in zip(logits, y_as_list)]
    total_loss = tf.reduce_mean(losses)
    train_step = tf.train.AdagradOptimizer(learning_rate).minimize(total_loss)
    return trained(tf, np, (x, y, init_state), (total_loss, final_state), train_step)


@block
def rnn_with_a_cell(tf, np):
    batch_size, num_steps, num_classes, state_size, learning_rate = 20, 5, 2, 4, 0.1
    x = tf.placeholder(tf.int32, [batch_size, num_steps], name="input_placeholder")
    y = tf.placeholder(tf.int32, [batch_size, num_steps], name="labels_placeholder")
    init_state = tf.zeros([batch_size, state_size])
    x_one_hot = tf.one_hot(x, num_classes)
    rnn_inputs = tf.unpack(x_one_hot, axis=1)
    cell = tf.nn.rnn_cell.BasicRNNCell(state_size)
    rnn_outputs, final_state = tf.nn.rnn(cell, rnn_inputs, initial_state=init_state)
    with tf.variable_scope("softmax"):
        W = tf.get_variable("W", [state_size, num_classes])
        b = tf.get_variable("b", [num_classes], initializer=tf.constant_initializer(0.0))
    logits = [tf.matmul(rnn_output, W) + b for rnn_output in rnn_outputs]
    predictions = [tf.nn.softmax(logit) for logit in logits]
    y_as_list = [tf.squeeze(i, squeeze_dims=[1]) for i in tf.split(1, num_steps, y)]
    loss_weights = [tf.ones([batch_size]) for i in range(num_steps)]
    losses = tf.nn.seq2seq.sequence_loss_by_example(logits, y_as_list, loss_weights)
    total_loss = tf.reduce_mean(losses)
    train_step = tf.train.AdagradOptimizer(learning_rate).minimize(total_loss)
    found = trained(tf, np, (x, y, init_state), (total_loss, final_state), train_step)
    return found, [p.get_shape().as_list() for p in predictions]


def told(value):
    """Results as JSON takes them."""
    if isinstance(value, dict):
        return {k: told(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [told(v) for v in value]
    if hasattr(value, "tolist"):
        value = value.tolist()
    return told(value) if isinstance(value, list) else float("%.9g" % value) if isinstance(value, float) else value
