"""The picture that people give themselves."""

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.openapi import problems
from apps.kernel.serializers import StrictSerializer
from apps.users.models import Avatar, User
from apps.users.selectors.avatars import avatar_of
from apps.users.serializers import AvatarPictures, pictures_of
from apps.users.services import avatars
from apps.users.uploads import FORM_LIFETIME


class AvatarUpload(serializers.Serializer[Any]):
    """A form to send as multipart/form-data to `url`: `fields` first, the file last, as `file`."""

    id = serializers.UUIDField()
    url = serializers.URLField()
    fields = serializers.DictField(child=serializers.CharField())  # type: ignore[assignment]  # of the document
    largest_bytes = serializers.IntegerField()
    expires_in = serializers.IntegerField(help_text="Seconds until the form is over.")


class AvatarDocument(serializers.Serializer[Any]):
    """The newest avatar, and what has become of it."""

    id = serializers.UUIDField(allow_null=True)
    status = serializers.ChoiceField(choices=["none", "checking", "published", "refused"])
    pictures = AvatarPictures(allow_null=True)


class MyAvatar(APIView):
    """My avatar."""

    class Picture(StrictSerializer):
        """What will be uploaded."""

        content_type = serializers.ChoiceField(choices=avatars.TYPES)

    class Uploaded(StrictSerializer):
        """Which upload is done."""

        upload = serializers.UUIDField()

    @extend_schema(operation_id="users_me_avatar", responses={200: AvatarDocument, **problems(401)})
    def get(self, request: Request) -> Response:
        """Show my newest avatar: while it is looked at, published, or (for a day) refused."""
        return Response(document_of(avatar_of(user_id=cast("User", request.user).pk)))

    @extend_schema(
        operation_id="users_me_avatar_upload",
        request=Picture,
        responses={201: AvatarUpload, **problems(400, 401, 413, 415)},
    )
    def post(self, request: Request) -> Response:
        """Get a form to upload a picture: JPEG, PNG or WebP, at most 2 MiB and 16 megapixels."""
        picture = self.Picture(data=request.data)
        picture.is_valid(raise_exception=True)
        avatar, form = avatars.allow_upload(
            user_id=cast("User", request.user).pk, **picture.validated_data
        )
        document = {
            "id": avatar.pk,
            "url": form.url,
            "fields": form.fields,
            "largest_bytes": avatars.LARGEST_BYTES,
            "expires_in": int(FORM_LIFETIME.total_seconds()),
        }
        return Response(document, status=201)

    @extend_schema(
        operation_id="users_me_avatar_replace",
        request=Uploaded,
        responses={202: AvatarDocument, **problems(400, 401, 404, 413, 415)},
    )
    def put(self, request: Request) -> Response:
        """Say that the picture is uploaded: it is looked at, drawn anew without metadata, shown."""
        uploaded = self.Uploaded(data=request.data)
        uploaded.is_valid(raise_exception=True)
        avatar = avatars.take_upload(
            user_id=cast("User", request.user).pk, upload_id=uploaded.validated_data["upload"]
        )
        return Response(document_of(avatar), status=202)

    @extend_schema(operation_id="users_me_avatar_remove", responses={204: None, **problems(401)})
    def delete(self, request: Request) -> Response:
        """Show no avatar any more; its files are deleted."""
        avatars.remove_avatar(user_id=cast("User", request.user).pk)
        return Response(status=204)


def document_of(avatar: Avatar | None) -> dict[str, object]:
    """Return the document `AvatarDocument`."""
    if avatar is None:
        return {"id": None, "status": "none", "pictures": None}
    published = avatar.status == Avatar.Status.PUBLISHED
    return {
        "id": avatar.pk,
        "status": avatar.status,
        "pictures": pictures_of(avatar.pk) if published else None,
    }
