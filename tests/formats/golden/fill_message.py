"""Fill every field of a message with values that depend on its number alone: the same under the oracle and here."""

NUMERIC = {
    1: 0.5,
    2: 0.25,
    3: -(2**40),
    4: 2**63,
    5: -7,
    6: 9,
    7: 10,
    8: True,
    13: 2**31,
    15: -1,
    16: -2,
    17: -3,
    18: -4,
}
STRING, MESSAGE, BYTES, ENUM, REPEATED = 9, 11, 12, 14, 3


def fill(message, facts, depth=2):
    """`facts(descriptor)` is its DescriptorProto. Messages are filled to `depth`; a oneof keeps its highest field."""
    for fact in sorted(facts(message.DESCRIPTOR).field, key=lambda fact: fact.number):
        field = message.DESCRIPTOR.fields_by_number[fact.number]
        if fact.type == MESSAGE:
            if depth and field.message_type.full_name != "google.protobuf.Any":
                fill_submessages(message, field, fact, facts, depth - 1)
            continue
        value = scalar(field, fact)
        if fact.label == REPEATED:
            getattr(message, field.name).extend([value, value])
        else:
            setattr(message, field.name, value)


def scalar(field, fact):
    if fact.type == STRING:
        return f"s{fact.number}"
    if fact.type == BYTES:
        return b"\xff%d" % fact.number
    if fact.type == ENUM:
        return max(value.number for value in field.enum_type.values)
    return NUMERIC[fact.type]


def fill_submessages(message, field, fact, facts, depth):
    kind = field.message_type
    if kind.GetOptions().map_entry:
        key, value = kind.fields
        key_fact, value_fact = facts(kind).field
        entries = getattr(message, field.name)
        if value_fact.type == MESSAGE:
            fill(entries[scalar(key, key_fact)], facts, depth)
        else:
            entries[scalar(key, key_fact)] = scalar(value, value_fact)
    elif fact.label == REPEATED:
        fill(getattr(message, field.name).add(), facts, depth)
    else:
        getattr(message, field.name).SetInParent()
        fill(getattr(message, field.name), facts, depth)
