"""Settings of Picfusion, read from the environment or `.env`; `.env.example` lists every one.

Everything the site writes lives under `PICFUSION_VAR_DIR` (default: `var/` beside manage.py).
"""

import os
import tomllib
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from gallery.imaging.formats import FORMATS
from picfusion_site import addresses
from picfusion_site.environment import Environment, refuse_open_folder
from picfusion_site.secret_key import secret_key

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]["version"]
env = Environment(BASE_DIR / ".env")


os.umask(0o077)  # what the site writes is its owner's alone
VAR_DIR = Path(env.str("PICFUSION_VAR_DIR", str(BASE_DIR / "var"))).resolve()
VAR_DIR.mkdir(
    mode=0o700, parents=True, exist_ok=True
)  # pictures and password hashes are nobody else's business

refuse_open_folder(VAR_DIR)

# --- Site -----------------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "")
if not SECRET_KEY and env.str("DATABASE_URL", "").startswith("postgres"):
    # Each machine would make its own, and what one signs would be void on the other.
    raise ImproperlyConfigured(
        "SECRET_KEY must be set, the same on every machine, when DATABASE_URL is shared."
    )
SECRET_KEY = SECRET_KEY or secret_key(VAR_DIR / "secret_key")
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
env.served()
CSRF_FAILURE_VIEW = "picfusion_site.views.csrf_failure"
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
HTTPS = env.bool("HTTPS", False)
# Whose X-Forwarded-For is believed: addresses or networks of proxies.
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "corsheaders",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "django_q",
    "sorl.thumbnail",
    "gallery",
    "search",
    "picfusion_site",
]

MIDDLEWARE = [
    "picfusion_site.logs.note_requests",
    "picfusion_site.metrics.count_requests",
    "django.middleware.security.SecurityMiddleware",
    "picfusion_site.headers.browser_rules",
    "corsheaders.middleware.CorsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "picfusion_site.slow_clients.Bodies",
    "django.middleware.locale.LocaleMiddleware",
    "picfusion_site.slashes.Forgiven",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "gallery.audit.remember_request",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    # Every page asks who you are, unless its view says otherwise; the API's views ask by themselves.
    "picfusion_site.sign_in_first.SignInFirst",
    "picfusion_site.caching.no_store",
    "picfusion_site.moments.RefuseTwice",
    "picfusion_site.moments.NotYet",
    "gallery.api.conditional.unchanged",
    "picfusion_site.wrong_method.explained",
]

ROOT_URLCONF = "picfusion_site.urls"
WSGI_APPLICATION = "picfusion_site.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "picfusion_site.context.site",
            ],
        },
    },
]

# --- Data -----------------------------------------------------------------------------------------

# Each of these addresses may be left empty: then everything is in VAR_DIR and in this process.
DATABASE_URL = env.str("DATABASE_URL", "")
STORAGE_URL = env.str("STORAGE_URL", "")
CACHE_URL = env.str("CACHE_URL", "")
SEARCH_URL = addresses.search(env.str("SEARCH_URL", ""))
# Whether the proxy fetches originals from an object store by itself, from where X-Accel-Redirect says.
PROXY_FETCHES = env.bool("PROXY_FETCHES", False)

DATABASES = {"default": addresses.database(DATABASE_URL, VAR_DIR, pooled="PICFUSION_SERVES" in os.environ)}
CACHES = {
    "default": addresses.cache(CACHE_URL),
    "thumbnails": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Originals and thumbnails have no public address of their own: gallery.views serves them after asking
# gallery.access, so there is no MEDIA_URL.
STORAGES = {
    **addresses.storages(STORAGE_URL, VAR_DIR),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Where the site is below its host, as in /pics; gunicorn reads the same variable.
FORCE_SCRIPT_NAME = env.str("SCRIPT_NAME", "").rstrip("/") or None
STATIC_URL = f"{FORCE_SCRIPT_NAME or ''}/static/"
WHITENOISE_STATIC_PREFIX = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]

# What a person may keep, in originals; None for as much as there is room.
QUOTA_MB = env.int("QUOTA_MB")
QUOTA_PICTURES = env.int("QUOTA_PICTURES")
# Room on the disk that no upload takes: the database and the worker need it.
MIN_FREE_MB = env.int("MIN_FREE_MB", 500, least=0)
MAX_UPLOAD_MB = env.int("MAX_UPLOAD_MB", 100)
MAX_IMAGE_MEGAPIXELS = env.int("MAX_IMAGE_MEGAPIXELS", 250)
# What decoding one picture may take; it happens in processes of its own.
DECODE_MEMORY_MB = env.int("DECODE_MEMORY_MB", 1200, least=100)
DECODE_SECONDS = env.int("DECODE_SECONDS", 60)
FILE_UPLOAD_HANDLERS = ["gallery.files.upload_handler.CappedUploadHandler"]
DATA_UPLOAD_MAX_NUMBER_FILES = 500

THUMBNAIL_ENGINE = "gallery.files.thumbnails.Engine"
THUMBNAIL_STORAGE = "thumbnails"
THUMBNAIL_CACHE = "thumbnails"  # none: what a process remembers of a list, another adds to
THUMBNAIL_PREFIX = ""
THUMBNAIL_QUALITY = 82
THUMBNAIL_UPSCALE = False
THUMBNAIL_REMOVE_URL_ARGS = False

# --- Extraction -----------------------------------------------------------------------------------

EXTRACTOR = env.str("EXTRACTOR", "auto")
MODELS_DIR = env.folder("PICFUSION_MODELS_DIR", VAR_DIR / "models")
# What the extractor `clip` is: a CLIP or SigLIP repository of the hub.
CLIP_MODEL = env.repository("CLIP_MODEL", "laion/CLIP-ViT-B-32-laion2B-s34B-b79K")
EXTRACTION_BATCH_SIZE = env.int("EXTRACTION_BATCH_SIZE", 16)

# Whether RAM may multiply 8-bit integers, on a processor that is measured to be faster in them.
RAM_IN_8_BITS = env.bool("RAM_IN_8_BITS", True)

# Whether the worker also reads the text in pictures, when everything is searchable.
READ_TEXT = env.bool("READ_TEXT", True)

# Folders that the worker watches, and whose pictures they become, an album for each folder.
WATCH_FOLDERS = env.folders("WATCH_FOLDERS")

# Threads of each web process: a body that comes slowly holds one. And how long a stop waits for answers that
# are under way, in seconds.
WEB_THREADS = env.int("WEB_THREADS", 32, least=4)
STOP_SECONDS = env.int("STOP_SECONDS", 8)

# --- Search ---------------------------------------------------------------------------------------

INDEX_DIR = VAR_DIR / "index"  # made from the database, and rebuilt where it is missing
# Where numba keeps the search's compiled loops: the folder of the code may be read-only.
os.environ.setdefault("NUMBA_CACHE_DIR", str(VAR_DIR / "compiled"))

# --- The worker -----------------------------------------------------------------------------------

Q_CLUSTER = {
    "name": "picfusion",
    "orm": "default",
    # One worker process holds one copy of the models; torch spreads a batch over the cores by itself.
    "workers": 1,
    "timeout": 1800,
    "retry": 3600,
    "max_attempts": 1,
    "recycle": 100_000,  # tasks; the supervisor's small ones count, 17,000 a day
    "poll": 0.5,
    "save_limit": 100,
    "catch_up": False,
    "label": "Worker",
}

# --- People ---------------------------------------------------------------------------------------

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
# Whether anybody may make an account of their own; otherwise by an administrator's invitation alone.
OPEN_REGISTRATION = env.bool("OPEN_REGISTRATION", False)

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "search"
LOGOUT_REDIRECT_URL = "login"

SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_SUBDOMAINS", False)
SECURE_HSTS_PRELOAD = SECURE_HSTS_INCLUDE_SUBDOMAINS
# Whether all of a domain is served by HTTPS is known to its owner alone: a setting, not a warning.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- Mail ---------------------------------------------------------------------------------------

# Letters for forgotten passwords are written to the console until a mail server is named.
vars().update(env.mail("EMAIL_URL"))
DEFAULT_FROM_EMAIL = env.sender("MAIL_FROM", "Picfusion <picfusion@localhost>")

# What Prometheus must know to read /metrics; empty for superusers alone.
METRICS_TOKEN = env.str("METRICS_TOKEN", "")

# --- API ------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "gallery.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "gallery.api.authentication.TokenScope",
        "gallery.api.strict.KnownParameters",
    ],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "gallery.api.negotiation.JSONForAll",
    "DEFAULT_PAGINATION_CLASS": "gallery.api.pagination.Pagination",
    "DEFAULT_PARSER_CLASSES": [
        "gallery.api.parsers.JSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["gallery.api.rates.Rate"],
    "EXCEPTION_HANDLER": "gallery.api.problems.handle",
    "PAGE_SIZE": 50,
    "URL_FORMAT_OVERRIDE": None,  # `format` is a filter: of pictures, not of answers
}
# What one person, or one address without one, may ask of the API in a minute; 0 for as much as they want.
API_REQUESTS_PER_MINUTE = env.int("API_REQUESTS_PER_MINUTE", 3000, least=0)
# Pages of other sites that may ask the API in their visitors' browsers: https://app.example.com, ...
CORS_ALLOWED_ORIGINS = env.origins("CORS_ORIGINS")
CORS_URLS_REGEX = r"/api/v1/"
CORS_ALLOW_HEADERS = [
    *(
        "accept",
        "authorization",
        "content-type",
        "if-match",
        "if-none-match",
        "if-range",
        "range",
        "upload-checksum",
    ),
    *("tus-resumable", "upload-length", "upload-metadata", "upload-offset", "x-request-id"),
]
CORS_EXPOSE_HEADERS = [
    *("ETag", "Location", "Content-Range", "Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-ID"),
    *("Tus-Resumable", "Tus-Version", "Tus-Extension", "Tus-Max-Size", "Upload-Offset", "Upload-Length"),
    *("Upload-Expires", "Content-Location"),
]
# Whether the API's description is shown to people who are not signed in.
PUBLIC_API_DOCS = env.bool("PUBLIC_API_DOCS", False)
SPECTACULAR_SETTINGS = {
    "TITLE": "Picfusion",
    "DESCRIPTION": "Find your own pictures by example pictures, tags, plain text, or any mix of the three."
    "\n\n**Signing in.** Whoever is signed in to the site can try everything here at once. Programs send a "
    "token: make one on the account page or with `POST /api/v1/token/`, press *Authorize* and write "
    "`Token KEY`. Errors are problem details (RFC 9457).",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": [
        "rest_framework.permissions.AllowAny"
        if PUBLIC_API_DOCS
        else "rest_framework.permissions.IsAuthenticated"
    ],
    "SERVE_AUTHENTICATION": None,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "gallery.api.problems.describe",
        "gallery.api.bodies.choose",
        "gallery.api.examples.add",
    ],
    "ENUM_NAME_OVERRIDES": {
        "ImageFormatEnum": [(format.name, format.label) for format in FORMATS],
        "SearchFormatEnum": [(format.name, format.name) for format in FORMATS],
    },
}

# --- Language and time ----------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("pt-br", "Português (Brasil)"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "picfusion_site" / "locale"]
TIME_ZONE = env.zone("TIME_ZONE", "UTC")
USE_I18N = True
USE_TZ = True

# --- Logging --------------------------------------------------------------------------------------

# Whether there is a line for each answer, and whether lines are JSON.
ACCESS_LOG = env.bool("ACCESS_LOG", False)
LOG_FORMAT = env.choice("LOG_FORMAT", ["plain", "json"])
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"about_request": {"()": "picfusion_site.logs.AboutRequest"}},
    "formatters": {
        "plain": {
            "format": "%(asctime)s %(levelname)s %(name)s [%(request_number)s %(person)s]: %(message)s"
        },
        "json": {"()": "picfusion_site.logs.Json"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": LOG_FORMAT,
            "filters": ["about_request"],
        }
    },
    "root": {
        "handlers": ["console"],
        "level": env.choice("LOG_LEVEL", ["info", "debug", "warning", "error", "critical"]).upper(),
    },
    # Tokenizers, weight files and pictures are chatty at INFO.
    "loggers": {name: {"level": "WARNING"} for name in ("PIL", "httpx", "transformers", "django-q")},
}

env.refuse_unknown()
