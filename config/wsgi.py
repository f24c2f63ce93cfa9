"""WSGI entry point, served by granian."""

import atexit
import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

application = get_wsgi_application()

# After Django is set up: model and catalogue are in memory before the first request, and kept
# current.
from catalog import hybrid  # noqa: E402
from catalog.shelf_keeper import start_keeping  # noqa: E402
from recommendations.watch import start_watching  # noqa: E402

start_keeping(hybrid.prepare, hybrid.follow)
start_watching()

# All that is here now stays: the collector need not walk 230,000 objects again and again, which
# held a request up for a tenth of a second each time.
gc.collect()
gc.freeze()
# And a collection for every 700 new objects is one a list: .5 ms of it, .2 with fewer, larger ones.
gc.set_threshold(5_000, 20, 100)
atexit.register(gc.unfreeze)  # libraries look at the end for what they left behind
