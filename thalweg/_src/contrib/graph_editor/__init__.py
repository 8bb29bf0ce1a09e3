"""tf.contrib.graph_editor: what lies before, behind and between operations of a graph."""
