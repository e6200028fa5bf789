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
from apps.users.serializers import LocaleField, NameField, PhoneField, Profile, profile_of
from apps.users.services import profiles


class Me(APIView):
    """The person who asks."""

    class Names(StrictSerializer):
        """What people may change about themselves. The address is not among it."""

        first_name = NameField()
        last_name = NameField()
        phone = PhoneField(required=False)
        locale = LocaleField(required=False)

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
        """Replace my names; telephone number and language stay when they are not given."""
        return self._change(request, partial=False)

    @extend_schema(
        operation_id="users_me_update",
        parameters=[IF_MATCH],
        request=Names,
        responses={200: Profile, **problems(400, 401, 412, 413, 415)},
    )
    def patch(self, request: Request) -> Response:
        """Change what is given of my profile."""
        return self._change(request, partial=True)

    def _change(self, request: Request, *, partial: bool) -> Response:
        names = self.Names(data=request.data, partial=partial)
        names.is_valid(raise_exception=True)
        user = profiles.change_profile(
            user_id=cast("User", request.user).pk,
            expected_version=expected_version(request),
            **names.validated_data,
        )
        return tagged(Response(profile_of(user)), version=user.version)
