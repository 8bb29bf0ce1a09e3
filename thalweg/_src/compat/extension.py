"""`%load_ext thalweg`, in IPython and Jupyter."""

from typing import Any


def load_ipython_extension(ipython: Any) -> None:
    """`%load_ext thalweg`: from here on `import tensorflow` gives thalweg, in the notebook that says so."""
    from thalweg._src.compat import program, scalars

    program.prepare()
    transformers = getattr(ipython, "ast_transformers", None)
    if transformers is not None and scalars.is_on():
        transformers.append(scalars.Rewriter())


def unload_ipython_extension(ipython: Any) -> None:
    """`%unload_ext thalweg`: undo `load_ipython_extension`."""
    from thalweg._src.compat import hook, scalars, watching
    from thalweg._src.runtime import placing

    hook.uninstall()
    placing.allow_programs_without_gpu(False)
    watching.unwatch()
    scalars.stop()
    kept = [t for t in getattr(ipython, "ast_transformers", []) if not isinstance(t, scalars.Rewriter)]
    if hasattr(ipython, "ast_transformers"):
        ipython.ast_transformers[:] = kept
