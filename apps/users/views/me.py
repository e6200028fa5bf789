"""What people see and change about themselves."""

from typing import cast

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.conditional import expected_version, tagged
from apps.kernel.openapi import IF_MATCH, problems
from apps.kernel.serializers import StrictSerializer
from apps.users.models import User
from apps.users.serializers import NameField, Profile, profile_of
from apps.users.services import accounts


class Me(APIView):
    """The person who asks."""

    class Names(StrictSerializer):
        """What people may change about themselves. The address is not among it."""

        first_name = NameField()
        last_name = NameField()

    @extend_schema(operation_id="users_me", responses={200: Profile, **problems(401)})
    def get(self, request: Request) -> Response:
        """Show my profile."""
        user = cast("User", request.user)
        return tagged(Response(profile_of(user)), version=user.version)

    @extend_schema(
        operation_id="users_me_replace",
        parameters=[IF_MATCH],
        request=Names,
        responses={200: Profile, **problems(400, 401, 412, 413, 415)},
    )
    def put(self, request: Request) -> Response:
        """Replace my names."""
        names = self.Names(data=request.data)
        names.is_valid(raise_exception=True)
        user = accounts.replace_profile(
            user_id=cast("User", request.user).pk,
            expected_version=expected_version(request),
            **names.validated_data,
        )
        return tagged(Response(profile_of(user)), version=user.version)
