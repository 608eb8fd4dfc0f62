"""The site's settings, writing to a folder of the test run's own."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

VAR = tempfile.mkdtemp(prefix="picfusion-tests-")
atexit.register(shutil.rmtree, VAR, ignore_errors=True)
# What takes seconds to compute is kept between runs; it is made by the real code and read by the real code.
KEPT = Path(__file__).resolve().parent.parent / "var"
os.environ |= {
    "PICFUSION_VAR_DIR": VAR,
    "PICFUSION_MODELS_DIR": str(KEPT / "models"),
    "NUMBA_CACHE_DIR": str(KEPT / "compiled"),
    "LOG_LEVEL": "WARNING",
    "DEBUG": "off",
    "EXTRACTOR": "lite",
    "READ_TEXT": "off",  # but for the tests of it: half a second for each picture
    "API_REQUESTS_PER_MINUTE": "0",  # but for the test of it: a fast machine asks thousands
}

# The same tests on what several machines share: PostgreSQL, S3, Valkey and Qdrant (see tests/servers.py).
if MANY := os.environ.get("PICFUSION_TESTS") == "many":
    from tests import servers

    os.environ |= servers.addresses() | {"SECRET_KEY": "of the tests"}
else:  # whatever a .env beside the code says
    os.environ |= dict.fromkeys(("DATABASE_URL", "STORAGE_URL", "CACHE_URL", "SEARCH_URL"), "")

from picfusion_site.settings import *  # noqa: E402, F403
from picfusion_site.settings import DATABASES, STATIC_ROOT, STORAGES, VAR_DIR  # noqa: E402

# A file, as in life: in memory there is no WAL and no second connection.
if not MANY:
    DATABASES["default"]["TEST"] = {"NAME": VAR_DIR / "test.sqlite3"}
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STATIC_ROOT.mkdir(exist_ok=True)
