"""What a step of an installation is, and going through a plan of them, forwards and backwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that has to be so on the machine."""

    what: str
    """How it is, in one sentence."""
    is_done: Callable[[], bool]
    """Whether it is so; it changes nothing."""
    do: Callable[[], None]
    undo: Callable[[], None] | None = None
    """None: it stays, and `stays` says why."""
    stays: str = ""
    is_data: bool = False
    """Undone only when people's data shall go as well."""


def install(plan: Sequence[Step], *, dry_run: bool) -> Iterator[str]:
    """Do what is not done yet, in order: a line for each step, once it is done.

    A dry run only looks, so a step may show as open because one before it is.
    """
    for step in plan:
        if step.is_done():
            yield f"is so   {step.what}"
        elif dry_run:
            yield f"to do   {step.what}"
        else:
            step.do()
            yield f"done    {step.what}"


def uninstall(plan: Sequence[Step], *, dry_run: bool, purge: bool) -> Iterator[str]:
    """Undo the steps, the last one first; with `purge` those about people's data as well."""
    for step in reversed(plan):
        if step.undo is None:
            yield f"stays   {step.what}" + (f" ({step.stays})" if step.stays else "")
        elif step.is_data and not purge:
            yield f"stays   {step.what} (data: it goes with --purge)"
        elif dry_run:
            yield f"to undo {step.what}"
        else:
            step.undo()
            yield f"undone  {step.what}"
