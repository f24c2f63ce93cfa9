"""docs/api.md: its commands run as they stand there, and its table is the code's."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from accounts.models import ApiToken, DeletionRequest
from config.error_codes import CODES
from feedback.exports.models import ExportJob
from feedback.imports.models import ImportJob
from feedback.models import FilmList, Interaction, Rating

PAGE = Path(settings.BASE_DIR) / "docs" / "api.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="needs curl and jq")
@pytest.mark.django_db(transaction=True)
def test_the_walk_walks(served, live_server, tmp_path):
    commands = "\n".join(BLOCK.findall(PAGE.read_text()))
    assert commands.count("curl") > 20
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=tmp_path,
        env={"SITE": live_server.url, "PATH": "/usr/local/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    lines = done.stdout.splitlines()
    assert lines[-1] == "401"  # logged out
    assert "304" in lines
    assert '{"recorded":1,"repeated":0,"refused":0}' in lines
    assert '{"recorded":0,"repeated":1,"refused":0}' in lines
    assert Rating.objects.filter(user__email="you@example.org").count() == 5
    kinds = Interaction.objects.filter(user__email="you@example.org")
    assert kinds.filter(kind="react").count() == 1
    assert ImportJob.objects.get().filename == "ratings.csv"
    assert ExportJob.objects.get().user.email == "you@example.org"
    assert not DeletionRequest.objects.exists()  # asked for, and taken back
    assert FilmList.objects.get().items.count() == 1
    assert not ApiToken.objects.exists()


def test_the_page_lists_every_code():
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \| (.*) \|$", PAGE.read_text(), re.MULTILINE)
    assert rows == [
        (str(status), code, meaning)
        for status, by_code in CODES.items()
        for code, meaning in by_code.items()
    ]
