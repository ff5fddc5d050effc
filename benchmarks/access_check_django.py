"""djangorestframework-api-key answering one question, for benchmarks/access_check.py. Prints its port and a key."""

import asyncio
import socket
import sys
from pathlib import Path


def application(folder: Path):
    import django
    from django.conf import settings
    from django.core.management import call_command

    settings.configure(
        ALLOWED_HOSTS=["*"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "django.db"}},
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "rest_framework",
            "rest_framework_api_key",
        ],
        REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": [], "UNAUTHENTICATED_USER": None},
        ROOT_URLCONF=__name__,
        SECRET_KEY="benchmark",
        USE_TZ=True,
    )
    django.setup()
    call_command("migrate", verbosity=0)

    from django.core.asgi import get_asgi_application
    from django.urls import path
    from rest_framework.response import Response
    from rest_framework.views import APIView
    from rest_framework_api_key.models import APIKey
    from rest_framework_api_key.permissions import HasAPIKey

    class Authorize(APIView):
        permission_classes = (HasAPIKey,)

        def get(self, request):
            return Response(status=204)

    global urlpatterns  # noqa: PLW0603
    urlpatterns = [path("authorize", Authorize.as_view())]
    _, key = APIKey.objects.create_key(name="benchmark")
    return get_asgi_application(), key


urlpatterns: list = []

if __name__ == "__main__":
    import uvicorn

    app, key = application(Path(sys.argv[1]))
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], key, flush=True)
    asyncio.run(uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off")).serve(sockets=[listener]))
