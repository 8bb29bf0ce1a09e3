"""tensorflow.python.tools.inspect_checkpoint: what is in a checkpoint, printed."""

import re

import numpy as np

from thalweg._src.lib.checkpoints import new_checkpoint_reader


def print_tensors_in_checkpoint_file(
    file_name: str,
    tensor_name: str,
    all_tensors: bool,
    all_tensor_names: bool = False,
    count_exclude_pattern: str = "",
) -> None:
    """Print one tensor, all of them, their names, or a summary; then how many numbers there are.

    What goes wrong is printed too. Tensors whose names match `count_exclude_pattern` are not counted.
    """
    try:
        reader = new_checkpoint_reader(file_name)
        sizes = {k: int(np.prod(shape)) for k, shape in reader.get_variable_to_shape_map().items()}
        if all_tensors or all_tensor_names:
            for key in sorted(sizes):
                print("tensor_name: ", key)
                if all_tensors:
                    print(reader.get_tensor(key))
        elif tensor_name:
            print("tensor_name: ", tensor_name)
            print(reader.get_tensor(tensor_name))
        else:
            print(reader.debug_string().decode())
        left_out = [k for k in sizes if count_exclude_pattern and re.search(count_exclude_pattern, k)]
        if count_exclude_pattern:
            numbers = sum(sizes[k] for k in left_out)
            print(
                f"# Excluding {len(left_out)} tensors ({numbers} params) that match {count_exclude_pattern} when counting."
            )
        print(f"# Total number of params: {sum(n for k, n in sizes.items() if k not in left_out)}")
    except Exception as error:  # a tool that prints tells what it could not read
        print(error)
