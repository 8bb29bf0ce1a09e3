"""Sums over the turns of a scan that are made after it: the product of all rows at once, where the body adds a product per turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thalweg._src.core.lazy import jnp, lax
from thalweg._src.core.scan.body import Body, Node, Value, sort

_LINEAR = frozenset({"transpose", "reshape", "squeeze", "reduce_sum"})


class Sum:
    """The slot `at` is a sum over the turns; `total` makes it of the `operands` of all turns."""

    def __init__(self, at: int, operands: list[Any], total: Callable[..., Any]):
        self.at, self.operands, self.total = at, operands, total


def sums_of(body: Body) -> list[Sum]:
    """The sums that are made after the loop: those of products, and those of what is given out or kept for products anyway."""
    added = _added(body)
    products = [(i, chain, n) for i, chain in added.items() if (n := chain[-1].node) is not None and _is_product(n)]
    kept = {*body.rows, *body.out, *(v for _, _, node in products for v in node.inputs)}
    found = [Sum(i, list(node.inputs), _total_of_products(chain, node)) for i, chain, node in products]
    for i in added.keys() - {s.at for s in found}:
        known = [k for k, v in enumerate(added[i]) if v in kept]
        if known:
            found.append(Sum(i, [added[i][known[-1]]], _total(added[i][: known[-1]])))
    return found


def _added(body: Body) -> dict[int, list[Value]]:
    """For each slot to which every turn adds something, and that is not used otherwise: what is added, and what that is made of by
    linear operations, the last one first.
    """
    users: dict[Any, int] = {}
    for made in sort([*body.new, *body.out], lambda v: False):
        for v in made.inputs:
            users[v] = users.get(v, 0) + 1
    for v in [*body.new, *body.out]:
        users[v] = users.get(v, 0) + 1
    found = {}
    for i, (slot, new) in enumerate(zip(body.carry, body.new, strict=True)):
        node = new.node if isinstance(new, Value) else None
        if node is None or node.name not in ("add", "add_any") or users.get(slot) != 1 or users[new] != 1:
            continue
        if slot not in node.inputs or not jnp.issubdtype(slot.aval.dtype, jnp.inexact):
            continue
        v = node.inputs[1] if node.inputs[0] is slot else node.inputs[0]
        if isinstance(v, Value) and v.aval.shape == slot.aval.shape:
            found[i] = _chain(v)
    return found


def _chain(v: Value) -> list[Value]:
    chain = [v]
    while v.node is not None and v.node.name in _LINEAR and isinstance(v.node.inputs[0], Value):
        v = v.node.inputs[0]
        chain.append(v)
    return chain


def _is_product(node: Node) -> bool:
    return node.name == "dot_general" and all(isinstance(s, Value) for s in node.inputs)


def _shaped(chain: list[Value], total: Any) -> Any:
    """The linear operations that made `chain`, on a total."""
    for v in reversed(chain):
        assert v.node is not None
        (total,) = v.node.run(total)
    return total


def _total(chain: list[Value]) -> Callable[..., Any]:
    return lambda rows: _shaped(chain, jnp.sum(rows, 0))


def _total_of_products(chain: list[Value], product: Node) -> Callable[..., Any]:
    return lambda p, q: _shaped(chain[:-1], _of_products(product, p, q))


def _of_products(node: Node, p: Any, q: Any) -> Any:
    """The sum over rows of their products: one product that contracts the rows too."""
    (cp, cq), (bp, bq) = node.params["dimension_numbers"]
    if cp == cq == (0,) and not bp:  # one row after the other: XLA would move axes to contract two of them
        p, q = (x.reshape(-1, *x.shape[2:]) for x in (p, q))
        (total,) = node.run(p, q)
        return total
    behind = [tuple(a + 1 for a in axes) for axes in (cp, cq, bp, bq)]
    numbers = (((0, *behind[0]), (0, *behind[1])), (behind[2], behind[3]))
    return lax.dot_general(
        p,
        q,
        numbers,
        precision=node.params["precision"],
        preferred_element_type=node.params["preferred_element_type"],
    )
