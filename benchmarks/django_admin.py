"""Django's admin with the same keys, for benchmarks/page.py: its list, with a box for each privilege.

    gunicorn "benchmarks.django_admin:application(DATABASE, KEYS)"

Served as its documentation advises: by gunicorn, its files compressed by WhiteNoise, DEBUG off.
"""

from pathlib import Path

PRIVILEGES = 9
USER, PASSWORD = "admin", "benchmark"


def application(database: str, keys: str):
    """The application, after the table of Authkeys in the file `keys` was copied into `database`."""
    import django
    from django.conf import settings
    from django.core.management import call_command

    folder = Path(database).parent
    apps = ["admin", "auth", "contenttypes", "messages", "sessions", "staticfiles"]
    settings.configure(
        ALLOWED_HOSTS=["*"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[f"django.contrib.{each}" for each in apps],
        MIDDLEWARE=[
            "whitenoise.middleware.WhiteNoiseMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        ROOT_URLCONF=__name__,
        SECRET_KEY="benchmark",
        STATIC_ROOT=folder / "static",
        STATIC_URL="static/",
        STORAGES={"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}},
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
    )
    django.setup()
    from django.contrib import admin
    from django.contrib.auth.models import User
    from django.core.wsgi import get_wsgi_application
    from django.db import connection, models
    from django.urls import path

    boxes = {f"p{bit}": models.BooleanField() for bit in range(PRIVILEGES)}
    key = type(
        "Key",
        (models.Model,),
        {
            "__module__": __name__,
            "Meta": type("Meta", (), {"app_label": "auth", "db_table": "key", "ordering": ["ip"]}),
            "ip": models.CharField(max_length=39, db_index=True),
            "service": models.CharField(max_length=100),
            **boxes,
        },
    )
    admin.site.register(
        key,
        type(
            "KeyAdmin",
            (admin.ModelAdmin,),
            {"list_display": ["ip", "service", *boxes], "list_editable": [*boxes], "search_fields": ["ip", "service"]},
        ),
    )
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    User.objects.create_superuser(USER, password=PASSWORD)
    with connection.schema_editor() as editor:
        editor.create_model(key)
    with connection.cursor() as cursor:
        bits = ", ".join(f"privileges >> {bit} & 1" for bit in range(PRIVILEGES))
        cursor.execute("ATTACH DATABASE %s AS authkeys", [keys])
        cursor.execute(
            f"INSERT INTO key (ip, service, {', '.join(boxes)}) SELECT ip, service, {bits} FROM authkeys.authkey"
        )
        cursor.execute("DETACH DATABASE authkeys")
    global urlpatterns  # noqa: PLW0603
    urlpatterns = [path("admin/", admin.site.urls)]
    return get_wsgi_application()


urlpatterns: list = []
