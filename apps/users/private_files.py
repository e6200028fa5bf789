"""Where people's files lead to and come from, on a machine without a bucket."""

from django.urls import path

from apps.users.views.files import download, upload

urlpatterns = [
    path("uploads", upload, name="upload"),
    path("files/<str:signed>", download, name="file"),
]
