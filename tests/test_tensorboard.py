"""The real TensorBoard, in a real browser, on the logs of examples/digits/board.py: what a person sees there.

Run with THALWEG_SLOW=1, where Chromium, chromedriver and TensorBoard are installed: a browser on a loaded machine keeps no time. A graph of
36,000 nodes is among what is opened. THALWEG_PICTURES=folder keeps a picture of each page.
"""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from browser import CHROMIUM, DRIVER, board, browser, waited

pytest.importorskip("tensorboard")
pytest.importorskip("sklearn")
pytestmark = [
    pytest.mark.skipif(not os.environ.get("THALWEG_SLOW"), reason="takes a minute: THALWEG_SLOW=1"),
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="Chromium or chromedriver is not installed"),
]

EXAMPLES = Path(__file__).parents[1] / "examples"
PICTURES = os.environ.get("THALWEG_PICTURES")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A page, and the address of a TensorBoard on logs of a short training."""
    logdir = tmp_path_factory.mktemp("runs") / "board"
    steps = "300" if PICTURES else "60"
    command = [sys.executable, str(EXAMPLES / "digits" / "board.py"), "--logdir", str(logdir), "--steps", steps]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    with contextlib.ExitStack() as stack:
        try:
            address = stack.enter_context(board(logdir))
            found = stack.enter_context(browser(1100, 900))
        except (TimeoutError, OSError) as error:
            pytest.skip(f"TensorBoard or the browser does not start here: {error}")
        yield found, address


def shown(page, tab, *words):
    """Open a tab, and wait for the words on it."""
    browser, address = page
    browser.open("about:blank")
    browser.open(f"{address}#{tab}")
    waited(f"{words} on {tab}", lambda: all(w in browser.text() for w in words))
    return browser


def kept(browser, name):
    if PICTURES:
        browser.picture(Path(PICTURES) / f"tensorboard-{name}.png")


def clicked(browser, what):
    """Click what a selector finds first, as its page's own code does."""
    found = "const e = [...deep(document)].find(e => e.matches(arguments[0])); if (e) e.click(); return !!e"
    waited(what, lambda: browser.run(found, what))


def test_scalars(page):
    browser = shown(page, "scalars", "loss", "accuracy")
    waited("lines", lambda: browser.count("path.line") >= 2)
    kept(browser, "scalars")


def test_images(page):
    browser = shown(page, "images", "digits/image/0", "step")
    sizes = "return [...deep(document)].filter(e => e.matches('img')).map(e => [e.naturalWidth, e.naturalHeight])"
    waited("pictures", lambda: [8, 8] in browser.run(sizes))
    kept(browser, "images")


def test_histograms_and_distributions(page):
    browser = shown(page, "histograms", "hidden1/weights", "logits")
    waited("histograms", lambda: browser.count("path.outline") >= 6)
    kept(browser, "histograms")
    browser = shown(page, "distributions", "hidden1/weights")
    waited("distributions", lambda: browser.count("path.area") >= 6)
    kept(browser, "distributions")


def test_text(page):
    browser = shown(page, "text", "report", "test digits")
    assert browser.count("td") + browser.count("th") >= 4


def names(browser):
    found = "return [...deep(document)].filter(e => e.matches('g.node')).map(e => e.getAttribute('data-name'))"
    return set(browser.run(found))


EXPAND = """
const node = [...deep(document)].find(e => e.matches('g.node') && e.getAttribute('data-name') === arguments[0]);
node.querySelector('.nodeshape').dispatchEvent(new MouseEvent('dblclick', {bubbles: true, composed: true}));
"""


def test_graph_with_its_name_scopes_and_what_a_step_cost(page):
    browser = shown(page, "graphs", "Main Graph")
    waited("name scopes", lambda: {"hidden1", "readout", "cross_entropy", "train", "pixels"} <= names(browser))
    browser.run(EXPAND, "hidden1")
    waited("what is inside", lambda: {"hidden1/MatMul", "hidden1/weights", "hidden1/Relu"} <= names(browser))
    kept(browser, "graph")
    # The run's metadata: its tag, then the card of a node says what it cost.
    waited("the tag of the traced step", lambda: browser.run(CLICK_TAG))
    waited("what the step cost", lambda: browser.run(CAN_COLOUR))
    waited("the node", lambda: browser.run(CLICK_NODE, "hidden1/MatMul"))
    waited("its card", lambda: all(w in browser.text() for w in ("Node Stats", "Compute Time", "Tensor Output Sizes")))
    kept(browser, "compute-time")


CLICK_TAG = """
const tag = [...deep(document)].find(e => e.matches('paper-item') && /^step/.test(e.textContent.trim()));
if (tag) tag.click();
return !!tag
"""
CAN_COLOUR = "const e = [...deep(document)].find(e => e.id === 'compute-time-radio-button'); return e && !e.disabled"
CLICK_NODE = """
const node = [...deep(document)].find(e => e.matches('g.node') && e.getAttribute('data-name') === arguments[0]);
if (node) node.querySelector('.nodeshape').dispatchEvent(new MouseEvent('click', {bubbles: true, composed: true}));
return !!node
"""


CHOSEN = "return [...deep(document)].some(e => e.value === arguments[0])"


def test_projector_with_labelled_digits(page):
    browser = shown(page, "projector", "Points:", "364", "512", "Total variance described")
    waited("a canvas", lambda: browser.count("canvas") >= 1)
    waited("the tensor", lambda: browser.run(CHOSEN, "hidden layer"))
    waited("the labels", lambda: browser.run(CHOSEN, "label"))
    kept(browser, "projector")


def test_a_graph_of_36000_nodes_opens(tmp_path):
    import thalweg as tf

    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [8], name="x")
        for block in range(36):
            with tf.name_scope(f"block{block}"):
                for _ in range(10):
                    with tf.name_scope("layer"):
                        for _ in range(50):
                            x = tf.nn.relu(x + 1.0)  # three nodes with the constant, less the first
        count = len(graph.get_operations())
        assert count > 36_000
        tf.summary.FileWriter(tmp_path, graph).close()
    with board(tmp_path) as address, browser(1100, 900) as found:
        found.open(f"{address}#graphs")
        waited("the blocks", lambda: {"block0", "block35"} <= names(found), 300)
        kept(found, "large-graph")
