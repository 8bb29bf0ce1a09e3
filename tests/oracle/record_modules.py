"""Record, under the real TensorFlow, which public symbol each name of its internal modules is.

Programs of the era import internals: `from tensorflow.python.ops import array_ops`. Most of what they take from there
is public under another path, so the import hook answers from a table: internal module, then its names by public
namespace. Run under both versions and merge, the later one first:

    oracle 1.15 record_modules.py > 1.15.tsv; oracle 0.12 record_modules.py > 0.12.tsv
    python record_modules.py 1.15.tsv 0.12.tsv > thalweg/_src/compat/modules.tsv

A line: module, then a column per namespace: `namespace=name name other:public_name`. The top namespace is empty.
"""

from __future__ import print_function

import importlib
import sys
import types

PREFIX = "tensorflow."
SKIP = (
    "tensorflow.python.keras",
    "tensorflow.python.tools",
    "tensorflow.python.debug.cli",
    "tensorflow.python.autograph",
    "tensorflow.contrib.lite",
    "tensorflow.contrib.autograph",
)


def public_modules():
    """(namespace, module) of every public namespace, shallow ones first; compat.v1 and v2 repeat the others."""
    import tensorflow as tf

    seen, queue = set(), [("", tf)]
    while queue:
        namespace, module = queue.pop(0)
        if id(module) in seen:
            continue
        seen.add(id(module))
        yield namespace, module
        for name in sorted(dir(module)):
            if (
                name.startswith("_")
                or (namespace == "compat" and name in ("v1", "v2"))
                or (not namespace and name in NOT_PUBLIC)
            ):
                continue
            try:
                child = getattr(module, name)
            except Exception:
                continue
            if isinstance(child, types.ModuleType) and is_public(namespace, name, child):
                queue.append(((namespace + "." + name).lstrip("."), child))


NOT_PUBLIC = ("python", "core", "tools", "examples", "models", "keras", "wrapt", "bitwise_ops", "raw_ops")
OF_0_12 = (
    "app",
    "compat",
    "errors",
    "flags",
    "gfile",
    "graph_util",
    "image",
    "logging",
    "nn",
    "nn.rnn_cell",
    "nn.seq2seq",
    "python_io",
    "resource_loader",
    "summary",
    "sysconfig",
    "test",
    "train",
    "user_ops",
)
DEEP_IN_CONTRIB = (
    "contrib.distributions.bijectors",
    "contrib.learn.datasets",
    "contrib.learn.estimators",
    "contrib.learn.models",
    "contrib.learn.monitors",
    "contrib.slim.dataset",
    "contrib.slim.nets",
    "contrib.slim.tfexample_decoder",
    "contrib.tensorboard.plugins",
)
# What an internal module of the core may owe to contrib: the rest are names that contrib's files happen to import.
CONTRIB_OF_CORE = (
    "contrib.data",
    "contrib.framework",
    "contrib.layers",
    "contrib.legacy_seq2seq",
    "contrib.lookup",
    "contrib.nccl",
    "contrib.rnn",
    "contrib.seq2seq",
    "contrib.training",
    "contrib.util",
)


def is_public(namespace, name, module):
    """An API module of 1.15 says so in its name; those of 0.12 are listed; a folder of contrib is one namespace."""
    path = (namespace + "." + name).lstrip(".")
    own = getattr(module, "__name__", "")
    if not own.startswith("tensorflow") or own.startswith("tensorflow_estimator"):
        return False
    if path.startswith("contrib"):
        return path.count(".") < 2 or path in DEEP_IN_CONTRIB
    return "._api.v1" in own or (sys.version_info < (3, 7) and path in OF_0_12)


def worth_recording(value):
    if isinstance(value, (types.ModuleType, bool, int, float, type(None), list, dict, tuple, type(print_function))):
        return False
    try:
        return getattr(value, "__name__", "") not in TOOLS
    except Exception:  # contrib.specs has objects that answer to no name
        return False


TOOLS = (
    "tf_export",
    "deprecated",
    "deprecated_args",
    "deprecated_arg_values",
    "deprecated_endpoints",
    "deprecated_alias",
    "remove_undocumented",
    "add_arg_scope",
    "xrange",
    "zip",
    "wraps",
    "namedtuple",
)


def main():
    importlib.import_module("tensorflow")
    import tensorflow as tf

    dir(tf.contrib)
    public = {}
    for namespace, module in public_modules():
        for name in sorted(dir(module)):
            if name.startswith("_"):
                continue
            try:
                value = getattr(module, name)
            except Exception:
                continue
            if worth_recording(value):
                public.setdefault(id(value), []).append((namespace, name, value))
    # The kind of module whose own names count as its exports; a class that it merely imports for itself counts too.
    for module_name in sorted(m.replace("tensorflow_core.", PREFIX) for m in list(sys.modules)):
        module = sys.modules.get(module_name)
        inner = module_name.startswith(
            ("tensorflow.python", "tensorflow.contrib", "tensorflow.core", "tensorflow.models")
        )
        if module is None or not inner or module_name.startswith(SKIP) or "._api" in module_name:
            continue
        rows = {}
        for name in sorted(vars(module)):
            value = vars(module)[name]
            if name.startswith("__") or name == "xrange" or not worth_recording(value):
                continue
            found = public.get(id(value), [])
            same = [f for f in found if f[1] == name]
            if isinstance(value, str):
                found = same
            found = same or found
            if not found:
                continue
            own = module_name[len(PREFIX) :].split(".")
            if own[0] == "contrib":  # a contrib module's names are those of its own package first
                found = [f for f in found if f[0].split(".")[:2] == own[:2]] or found
            known = CONTRIB_OF_CORE + tuple([".".join(own[:2])] if own[0] == "contrib" else [])
            found = [f for f in found if not f[0].startswith("contrib") or f[0].startswith(known)]
            if not found:
                continue
            namespace, public_name, _ = min(
                found,
                key=lambda f: (
                    f[1] != name,
                    f[0].startswith("contrib") and own[0] != "contrib",
                    f[0].count("."),
                    len(f[0]),
                    f,
                ),
            )
            if (PREFIX + namespace).rstrip(".") == module_name:
                continue
            rows.setdefault(namespace, []).append(name if name == public_name else name + ":" + public_name)
        if rows:
            print("\t".join([module_name[len(PREFIX) :]] + [n + "=" + " ".join(rows[n]) for n in sorted(rows)]))


def merge(paths):
    """One table of several, earlier files first: a name that an earlier one has is not taken from a later one."""
    table = {}
    for path in paths:
        with open(path) as f:
            lines = f.read().splitlines()
        for line in lines:
            module, *columns = line.split("\t")
            names = table.setdefault(module, {})
            for column in columns:
                namespace, _, words = column.partition("=")
                for word in words.split():
                    name, _, public_name = word.partition(":")
                    names.setdefault(name, (namespace, word))
    for module in sorted(table):
        rows = {}
        for name in sorted(table[module]):
            namespace, word = table[module][name]
            rows.setdefault(namespace, []).append(word)
        print("\t".join([module] + [n + "=" + " ".join(rows[n]) for n in sorted(rows)]))


if __name__ == "__main__":
    merge(sys.argv[1:]) if len(sys.argv) > 1 else main()
