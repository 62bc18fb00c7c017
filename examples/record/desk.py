"""A small mail-order shop to give support for: everything in it is made up, from a fixed seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from examples.record.toolbox import ToolFailure

TODAY = date(2026, 3, 31)
"""The day on which the shop's clock stands still."""
RETURN_DAYS = 30
GOODS = {
    "kettle": 34.5, "desk lamp": 49.0, "notebook": 6.9, "umbrella": 19.9, "rucksack": 79.0, "tea towel": 8.5,
    "bread knife": 27.0, "wool blanket": 64.0, "alarm clock": 22.4, "bicycle bell": 11.2, "frying pan": 38.0,
}  # fmt: skip
STOPS = ("label printed", "left the warehouse", "sorting centre", "out for delivery", "delivered")


@dataclass
class Order:
    """One order; ``stop`` is how far along ``STOPS`` its parcel has come."""

    number: str
    customer: str
    ordered: date
    items: dict[str, int]
    stop: int
    returns: list[str] = field(default_factory=list)

    @property
    def total(self) -> float:
        return sum(GOODS[item] * count for item, count in self.items.items())

    def day(self, stop: int) -> date:
        """When the parcel reached a stop."""
        return self.ordered + timedelta(days=stop + 1)


def customers() -> list[str]:
    return [f"C-{number}" for number in range(1040, 1066)]


class Desk:
    """The shop's systems; each public method is a tool."""

    def __init__(self) -> None:
        dice = random.Random("desk")
        self._orders: dict[str, Order] = {}
        self._notes: dict[str, list[str]] = {}
        for customer in customers():
            for age in sorted(dice.sample(range(2, 70), dice.randint(1, 4)), reverse=True):
                self._add_order(customer, age, dice)

    def _add_order(self, customer: str, age: int, dice: random.Random) -> None:
        number = f"B-{20400 + len(self._orders)}"
        items = {item: dice.choice((1, 1, 2)) for item in dice.sample(sorted(GOODS), dice.randint(1, 4))}
        stop = len(STOPS) - 1 if age > len(STOPS) + 4 else min(age - 2, dice.randint(0, 4))
        self._orders[number] = Order(number, customer, TODAY - timedelta(days=age), items, stop)

    def find_orders(self, customer: str) -> str:
        orders = [order for order in self._orders.values() if order.customer == customer]
        if not orders:
            raise ToolFailure(f"no customer {customer}")
        return "\n".join(f"{o.number}  {o.ordered}  {o.total:.2f}  {STOPS[o.stop]}" for o in orders)

    def get_order(self, order: str) -> str:
        found = self._order(order)
        lines = [f"{count} x {item}  {GOODS[item]:.2f}" for item, count in found.items.items()]
        return "\n".join([f"{order} of {found.ordered}, {found.customer}", *lines, f"total {found.total:.2f}"])

    def track(self, order: str) -> str:
        found = self._order(order)
        return "\n".join(f"{found.day(stop)}  {STOPS[stop]}" for stop in range(found.stop + 1))

    def start_return(self, order: str, item: str) -> str:
        found = self._order(order)
        if item not in found.items:
            raise ToolFailure(f"{order} has no {item}")
        delivered = len(STOPS) - 1
        if found.stop < delivered:
            raise ToolFailure(f"{order} is not delivered yet")
        if TODAY - found.day(delivered) > timedelta(days=RETURN_DAYS):
            raise ToolFailure(f"{order} was delivered on {found.day(delivered)}, more than {RETURN_DAYS} days ago")
        found.returns.append(item)
        return f"return R-{order[2:]}-{len(found.returns)} opened, refund {GOODS[item]:.2f}"

    def add_note(self, customer: str, note: str) -> str:
        notes = self._notes.setdefault(customer, [])
        notes.append(note)
        return f"noted, {len(notes)} on {customer}"

    def _order(self, number: str) -> Order:
        try:
            return self._orders[number]
        except KeyError:
            raise ToolFailure(f"no order {number}") from None
