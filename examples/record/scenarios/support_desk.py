"""A day at a shop's support desk: small look-ups, many customers, nothing that is ever large."""

from __future__ import annotations

import random
from collections.abc import Generator

from examples.record.desk import customers
from examples.record.loop import Ask, Call, Reply, Result, Scenario, Script

Case = Generator[Ask | Reply, list[Result], str]
"""One customer's visit; what came of it in a few words."""

GREETINGS = ("{0} is on the line.", "Next is {0}.", "{0} writes in.", "A message from {0}.")


def script() -> Script:
    dice = random.Random("support")
    topics = (_where_is_it, _send_back, _what_did_i_pay)
    seen: list[tuple[str, str]] = []
    for number, customer in enumerate(customers()):
        greeting = dice.choice(GREETINGS).format(customer)
        seen.append((customer, (yield from topics[number % len(topics)](greeting, customer))))
        if number % 6 == 5:
            yield from _again(*seen[number // 2])
    yield Ask("That was the last for today. Anything the next shift should know?")
    yield Reply("\n".join(f"- {customer}: {outcome}" for customer, outcome in seen[-5:]))


def _where_is_it(greeting: str, customer: str) -> Case:
    yield Ask(f"{greeting} Where is the last parcel?")
    (orders,) = yield Reply(calls=(Call("find_orders", {"customer": customer}),))
    order = _orders(orders)[-1]
    (way,) = yield Reply(calls=(Call("track", {"order": order}),))
    day, _, stop = way.text.splitlines()[-1].partition("  ")
    yield Reply(f'The parcel of {order}: "{stop}" since {day}. You can tell {customer} that.')
    return f"asked for {order}, which is at: {stop}"


def _send_back(greeting: str, customer: str) -> Case:
    yield Ask(f"{greeting} Something is to go back, the first item of the newest order.")
    (orders,) = yield Reply("I look at the orders.", calls=(Call("find_orders", {"customer": customer}),))
    order = _orders(orders)[-1]
    (shown,) = yield Reply(calls=(Call("get_order", {"order": order}),))
    item = shown.text.splitlines()[1].split(" x ")[1].split("  ")[0]
    (opened,) = yield Reply(calls=(Call("start_return", {"order": order, "item": item}),))
    if opened.failed:
        note = f"asked to return the {item} of {order}; refused: {opened.text}"
        yield Reply(
            f"Not possible: {opened.text}. I leave a note.",
            calls=(Call("add_note", {"customer": customer, "note": note}),),
        )
        yield Reply(f"Should the {item} be faulty, {customer} can write in all the same.")
    else:
        note = f"returns the {item} of {order}"
        yield Reply(f"Done: {opened.text}. The label for the {item} goes out today.")
    return note


def _what_did_i_pay(greeting: str, customer: str) -> Case:
    yield Ask(f"{greeting} What did all orders together cost, and what was in the newest?")
    (orders,) = yield Reply(calls=(Call("find_orders", {"customer": customer}),))
    numbers = _orders(orders)
    shown = yield Reply(calls=tuple(Call("get_order", {"order": number}) for number in numbers))
    totals = [float(result.text.rpartition(" ")[2]) for result in shown]
    newest = ", ".join(line.split("  ")[0] for line in shown[-1].text.splitlines()[1:-1])
    yield Reply(
        f"{len(totals)} order{'s' * (len(totals) > 1)}, {sum(totals):.2f} together. In {numbers[-1]}: {newest}."
    )
    return f"paid {sum(totals):.2f} in {len(totals)} orders, the newest {numbers[-1]}"


def _again(customer: str, outcome: str) -> Script:
    """Somebody from before: answered from what was said, then looked up once more."""
    yield Ask(f"{customer} again. What did we say?")
    yield Reply(f"Earlier today: {outcome}.")
    yield Ask("Has anything changed since?")
    (orders,) = yield Reply(calls=(Call("find_orders", {"customer": customer}),))
    yield Reply(f"No: still {len(_orders(orders))} orders, the newest {_orders(orders)[-1]}.")


def _orders(result: Result) -> list[str]:
    """Their numbers, oldest order first."""
    return [line.split("  ")[0] for line in result.text.splitlines()]


SCENARIO = Scenario(
    name="support-desk",
    description="A day at a shop's support desk: many customers, small look-ups, refused returns; no thinking.",
    request={
        "model": "claude-haiku-4-5",
        "max_tokens": 1024,
        "system": "You assist at the support desk of a small shop. Look things up, never guess, and answer in one or two sentences.",
    },
    tools=("find_orders", "get_order", "track", "start_return", "add_note"),
    script=script,
)
