"""Importing the library must stay cheap: the web process never pays for torch."""

from __future__ import annotations

import subprocess
import sys


def test_importing_ml_does_not_import_torch() -> None:
    code = (
        "import pkgutil, importlib, sys, ml\n"
        "names = [m.name for m in pkgutil.walk_packages(ml.__path__, 'ml.')"
        " if not m.name.endswith('__main__')]\n"
        "for name in names: importlib.import_module(name)\n"
        "heavy = {'torch', 'sentence_transformers', 'lightgbm', 'django'} & set(sys.modules)\n"
        "print(len(names), sorted(heavy))\n"
        "sys.exit(1 if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split()[0]) > 5
