"""Beam's local streaming runner, made quick enough to develop against."""

from collections.abc import Callable
from functools import wraps

from apache_beam import DoFn
from apache_beam.runners.direct import transform_evaluator
from apache_beam.transforms import userstate
from apache_beam.transforms.userstate import StateSpec, TimerSpec

Specs = tuple[set[StateSpec], set[TimerSpec]]


def look_at_each_step_once() -> None:
    """Makes the runner remember what states and timers the classes of its steps have.

    It makes every step anew for what it pulls at a time, and each time inspects the signatures of
    all its methods, four times over: most of what a step costs. They depend on the class alone.
    """
    if not hasattr(userstate.get_dofn_specs, "__wrapped__"):
        remembering = _by_class(userstate.get_dofn_specs)
        userstate.get_dofn_specs = remembering  # type: ignore[assignment]
        transform_evaluator.get_dofn_specs = remembering  # type: ignore[assignment]


def _by_class(specs_of: Callable[[DoFn], Specs]) -> Callable[[DoFn], Specs]:
    known: dict[type[DoFn], Specs] = {}

    @wraps(specs_of)
    def remembered(dofn: DoFn) -> Specs:
        if type(dofn) not in known:
            known[type(dofn)] = specs_of(dofn)
        return known[type(dofn)]

    return remembered
