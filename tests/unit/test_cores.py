"""Who computes on this machine's cores."""

from __future__ import annotations

import pytest

from unavoce.cli import checks
from unavoce.composition import cores_for
from unavoce.cores import Cores
from unavoce.settings import load_settings

OLLAMA = {"base_url": "http://127.0.0.1:11434/v1", "model": "llama3.2"}
ELSEWHERE = {"base_url": "http://10.0.0.9:8000/v1", "model": "llama3.2"}


def test_speech_leaves_room_while_the_embedded_model_writes() -> None:
    """Left to itself speech takes one thread while the model writes, and all cores else."""
    cores = Cores(4, model_here=True)
    assert (cores.leaves_room, cores.speech_threads()) == (False, 4)
    with cores.generation(), cores.generation():
        assert (cores.leaves_room, cores.speech_threads()) == (True, 1)
    assert (cores.leaves_room, cores.speech_threads()) == (False, 4)
    assert cores.choice == (
        "speech takes one of 4 cores, at low priority, while the embedded language model writes, else all 4 cores"
    )


def test_the_setting_decides() -> None:
    """`always` leaves room whether a model writes or not, `never` not even then, and both say that they were set."""
    always, never = Cores(2, leave_room="always"), Cores(2, leave_room="never", model_here=True)
    assert (always.leaves_room, always.speech_threads()) == (True, 1)
    with never.generation():
        assert (never.leaves_room, never.speech_threads()) == (False, 2)
    for cores in (always, never):
        assert "as it was set to" in cores.choice


@pytest.mark.parametrize("here", [True, False])
def test_a_model_elsewhere_leaves_the_whole_machine_to_speech(here: bool) -> None:
    """Only a process that embeds the model, and whose settings name no other, has to share."""
    assert cores_for(load_settings(), model_here=here).model_here is here
    cores = cores_for(load_settings(llm=ELSEWHERE), model_here=here)
    assert not cores.model_here
    assert cores.choice.startswith("speech takes all")


def test_doctor_says_what_was_chosen() -> None:
    """A model server on this machine is worth a note with the setting to use, once that is made it is well."""
    here, ours = checks.cores(load_settings(llm=OLLAMA)), checks.cores(load_settings())
    assert (here.status, "UNAVOCE_LEAVE_ROOM=always" in here.remedy) == ("note", True)
    assert (ours.status, ours.remedy) == ("ok", "")
    for settings in (load_settings(llm=ELSEWHERE), load_settings(llm=OLLAMA, leave_room="always")):
        finding = checks.cores(settings)
        assert (finding.status, finding.remedy) == ("ok", "")
        assert finding.detail == cores_for(settings).choice
