from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.coders import VarIntCoder
from apache_beam.runners.direct import transform_evaluator
from apache_beam.transforms import userstate
from apache_beam.transforms.userstate import BagStateSpec

from beam_jobs.local_runner import look_at_each_step_once

SPEC = BagStateSpec("seen", VarIntCoder())
SEEN: Any = beam.DoFn.StateParam(SPEC)


class Stateful(beam.DoFn):
    def process(self, element: Any, seen: Any = SEEN) -> Iterator[Any]:
        yield element


class Stateless(beam.DoFn):
    def process(self, element: Any) -> Iterator[Any]:
        yield element


def test_looks_at_the_methods_of_a_class_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[type] = []
    original = userstate.get_dofn_specs

    def counting(dofn: beam.DoFn) -> Any:
        looked_at.append(type(dofn))
        return original(dofn)

    for module in (userstate, transform_evaluator):
        monkeypatch.setattr(module, "get_dofn_specs", counting)

    look_at_each_step_once()
    look_at_each_step_once()

    for _ in range(3):
        assert userstate.is_stateful_dofn(Stateful())
        assert userstate.get_dofn_specs(Stateful()) == ({SPEC}, set())
        assert not userstate.is_stateful_dofn(Stateless())
        assert transform_evaluator.get_dofn_specs(Stateless()) == (set(), set())
    assert looked_at == [Stateful, Stateless]
