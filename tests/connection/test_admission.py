from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bamboo_gateway.connection.admission import Admission, Entrant, Stage
from bamboo_gateway.http.messages import RefusedError

ONE, OTHER = "192.0.2.1", "192.0.2.2"


def test_the_oldest_that_is_mute_gives_way() -> None:
    """Where an address has all its places, the one that has waited longest without a word goes."""
    admission = Admission()
    first, second = (admission.enter(ONE, 0, 2) for _ in range(2))
    first.stage = Stage.ASKING
    third = admission.enter(ONE, 0, 2)
    assert [each.has_given_way for each in (first, second, third)] == [False, True, False]
    assert second.scope.cancel_called
    assert len(admission) == 2


def test_who_has_asked_for_something_keeps_its_place() -> None:
    """Where nobody is mute the newcomer is told so, with a time to come back at; others are not concerned."""
    admission = Admission()
    for _ in range(2):
        admission.enter(ONE, 0, 2).stage = Stage.ASKING
    with pytest.raises(RefusedError) as caught:
        admission.enter(ONE, 0, 2)
    assert caught.value.reply.status == 503
    assert list(caught.value.reply.headers) == [("Retry-After", "1")]
    admission.enter(OTHER, 0, 2)


def test_all_together_are_bounded_too() -> None:
    """A crowd from everywhere gives way to newcomers in the order in which it came."""
    admission = Admission()
    crowd = [admission.enter(f"192.0.2.{number}", 10, 2) for number in range(15)]
    assert [each.has_given_way for each in crowd] == [True] * 5 + [False] * 10


def test_a_stream_without_an_address_is_bound_by_the_total_alone() -> None:
    """Nothing is known of it that could be counted."""
    admission = Admission()
    entrants = [admission.enter("", 5, 1) for _ in range(5)]
    assert not any(each.has_given_way for each in entrants)
    admission.enter("", 5, 1)
    assert entrants[0].has_given_way


def test_who_came_by_a_proxy_counts_where_it_came_from() -> None:
    """Its place moves with it, unless that address is full."""
    admission = Admission()
    for _ in range(2):
        admission.enter(ONE, 0, 2).stage = Stage.ASKING
    passed_on, refused = admission.enter("", 0, 2), admission.enter("", 0, 2)
    admission.move(passed_on, OTHER, 2)
    assert passed_on.address == OTHER
    refused.stage = Stage.ASKING
    with pytest.raises(RefusedError):
        admission.move(refused, ONE, 2)
    admission.leave(refused)
    assert len(admission) == 3


class AdmissionMachine(RuleBasedStateMachine):
    """Whatever comes and goes: the bounds hold, and every place that is taken is somebody's."""

    MOST, MOST_PER_ADDRESS = 5, 2

    def __init__(self) -> None:
        super().__init__()
        self.admission = Admission()
        self.inside: list[Entrant] = []

    @rule(address=st.sampled_from(["", ONE, OTHER, "unix"]), stage=st.sampled_from(Stage))
    def enter(self, address: str, stage: Stage) -> None:
        """Somebody comes."""
        others = [each for each in self.inside if each.address == address and address]
        crowded = others if len(others) >= self.MOST_PER_ADDRESS else []
        if len(self.inside) >= self.MOST and not crowded:
            crowded = self.inside
        try:
            entrant = self.admission.enter(address, self.MOST, self.MOST_PER_ADDRESS)
        except RefusedError:
            assert crowded
            assert not any(each.is_mute for each in crowded)
            return
        entrant.stage = stage
        self.inside.append(entrant)
        gone = [each for each in self.inside if each.has_given_way]
        assert len(gone) == bool(crowded)
        assert gone == [next(each for each in crowded if each.is_mute)] if crowded else not gone
        self.inside = [each for each in self.inside if not each.has_given_way]

    @precondition(lambda self: self.inside)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        """Somebody goes, and may say so twice."""
        entrant = data.draw(st.sampled_from(self.inside))
        self.inside.remove(entrant)
        self.admission.leave(entrant)
        self.admission.leave(entrant)

    @invariant()
    def counts_agree(self) -> None:
        """Nobody is counted who is not there."""
        assert len(self.admission) == len(self.inside) <= self.MOST
        for address in {each.address for each in self.inside} - {""}:
            assert sum(each.address == address for each in self.inside) <= self.MOST_PER_ADDRESS


TestAdmissionMachine = AdmissionMachine.TestCase
