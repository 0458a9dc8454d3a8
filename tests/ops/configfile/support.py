"""`manage.py apply` as an operator runs it."""

from io import StringIO
from pathlib import Path

from django.core.management import call_command


class Result:
    def __init__(self, text: str, tmp_path: Path, *flags: str) -> None:
        file = tmp_path / "config.yaml"
        file.write_text(text, encoding="utf-8")
        out, err = StringIO(), StringIO()
        self.code: object = 0
        try:
            call_command("apply", str(file), *flags, stdout=out, stderr=err)
        except SystemExit as leaving:
            self.code = leaving.code
        self.out, self.err = out.getvalue(), err.getvalue()
