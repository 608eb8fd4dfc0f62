"""Workers of several machines take their tasks from one queue."""

import os
from datetime import timedelta

import pytest
from django.utils import timezone

from gallery import supervisor
from gallery.models import WorkerState


@pytest.mark.django_db
def test_a_cluster_that_shares_its_queue_is_given_time_to_get_a_task(settings, tmp_path, monkeypatch):
    settings.VAR_DIR = tmp_path
    watching, now = supervisor.Supervisor(), [1000.0]
    monkeypatch.setattr(supervisor.time, "monotonic", lambda: now[0])

    def silent_for(seconds: float) -> bool:
        supervisor.pulse_file().write_text(supervisor.IDLE)
        os.utime(supervisor.pulse_file(), (now[0],) * 2)  # a sign of its own
        assert not watching._is_deaf(began=0.0)
        now[0] += seconds
        return watching._is_deaf(began=0.0)

    assert not silent_for(supervisor.DEAF - 5)
    assert silent_for(supervisor.DEAF + 5)
    other = WorkerState.objects.create(machine="another", beat_at=timezone.now())
    assert not silent_for(supervisor.DEAF + 5)
    assert silent_for(supervisor.DEAF_AMONG_OTHERS + 5)
    WorkerState.objects.filter(pk=other.pk).update(beat_at=timezone.now() - timedelta(minutes=5))
    assert silent_for(supervisor.DEAF + 5)
