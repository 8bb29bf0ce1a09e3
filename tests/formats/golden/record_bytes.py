"""Record the bytes of every top-level message of TensorFlow 1.15, filled by fill_message.py: name, length, sha1.

Run under the oracle: `oracle 1.15 tests/formats/golden/record_bytes.py > tests/formats/golden/bytes-1.15.tsv`.
"""

import hashlib
import importlib

from fill_message import fill
from google.protobuf import descriptor_pb2
from record_schemas import modules


def facts(descriptor):
    proto = descriptor_pb2.DescriptorProto()
    descriptor.CopyToProto(proto)
    return proto


def main():
    for module in map(importlib.import_module, modules()):
        for name in sorted(module.DESCRIPTOR.message_types_by_name):
            message = getattr(module, name)()
            fill(message, facts)
            data = message.SerializeToString()
            print(f"{message.DESCRIPTOR.name}\t{len(data)}\t{hashlib.sha1(data).hexdigest()}")


if __name__ == "__main__":
    main()
