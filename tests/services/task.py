"""A task of a cluster that does what others ask of it: `python task.py JOB TASK CLUSTER`, the last as JSON. It ends with its input."""

import json
import sys
import threading

import thalweg as tf

job, task, cluster = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
try:
    server = tf.train.Server(cluster, job_name=job, task_index=task)
except tf.errors.UnknownError:
    sys.exit("the port is taken")
print("ready", flush=True)
threading.Thread(target=server.join, daemon=True).start()
sys.stdin.read()
