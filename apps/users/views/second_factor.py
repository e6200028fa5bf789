"""The second factor over HTTP: set up, asked for at the login, shown again before danger."""

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.openapi import problems
from apps.kernel.permissions import RecentlyProven
from apps.kernel.serializers import StrictCharField, StrictSerializer
from apps.users.models import Session, User
from apps.users.selectors.second_factors import state_of
from apps.users.serializers import CodeField, PasswordField, Tokens, tokens_of
from apps.users.services import proofs, second_factors


class CodeDraft(StrictSerializer):
    """A code of the authenticator app."""

    code = CodeField()


class SecondFactorState(serializers.Serializer[Any]):
    """Whether a second factor is on."""

    enabled = serializers.BooleanField()
    confirmed_at = serializers.DateTimeField(allow_null=True)
    recovery_codes_left = serializers.IntegerField()


class EnrolmentDocument(serializers.Serializer[Any]):
    """What the app needs: `uri` is what a QR code shows, `secret` is for typing."""

    secret = serializers.CharField()
    uri = serializers.CharField()


class RecoveryCodes(serializers.Serializer[Any]):
    """Codes that work once each, when the app is lost. They are shown this once."""

    recovery_codes = serializers.ListField(child=serializers.CharField())


class MySecondFactor(APIView):
    """The second factor of the person who asks."""

    permission_classes = (IsAuthenticated, RecentlyProven)

    @extend_schema(
        operation_id="users_me_two_factor_retrieve",
        responses={200: SecondFactorState, **problems(401)},
    )
    def get(self, request: Request) -> Response:
        """Show whether I have a second factor."""
        return Response(state_of(user_id=cast("User", request.user).pk))

    @extend_schema(
        operation_id="users_me_two_factor_begin",
        request=None,
        responses={201: EnrolmentDocument, **problems(401, 403, 409)},
    )
    def post(self, request: Request) -> Response:
        """Make a secret for an authenticator app. It counts once a code of it is confirmed.

        409 `second_factor_is_on`.
        """
        user = cast("User", request.user)
        enrolment = second_factors.begin(user_id=user.pk, email=user.email)
        return Response({"secret": enrolment.secret, "uri": enrolment.uri}, status=201)

    @extend_schema(
        operation_id="users_me_two_factor_remove",
        request=None,
        responses={204: None, **problems(401, 403, 409)},
    )
    def delete(self, request: Request) -> Response:
        """Turn the second factor off. My other sessions end. 409 `no_second_factor`."""
        second_factors.remove(
            user_id=cast("User", request.user).pk, session=cast("Session", request.auth)
        )
        return Response(status=204)


class MySecondFactorConfirmation(APIView):
    """The first code of the app."""

    permission_classes = (IsAuthenticated, RecentlyProven)

    @extend_schema(
        operation_id="users_me_two_factor_confirm",
        request=CodeDraft,
        responses={200: RecoveryCodes, **problems(400, 401, 403, 409, 413, 415, 422)},
    )
    def post(self, request: Request) -> Response:
        """Turn the second factor on with its first code. My other sessions end.

        409 `no_second_factor`, 422 `wrong_code`.
        """
        draft = CodeDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        codes = second_factors.confirm(
            user_id=cast("User", request.user).pk,
            code=draft.validated_data["code"],
            session=cast("Session", request.auth),
        )
        return Response({"recovery_codes": codes})


class MyRecoveryCodes(APIView):
    """New recovery codes."""

    permission_classes = (IsAuthenticated, RecentlyProven)

    @extend_schema(
        operation_id="users_me_two_factor_recovery_codes_renew",
        request=None,
        responses={200: RecoveryCodes, **problems(401, 403, 409)},
    )
    def post(self, request: Request) -> Response:
        """Replace my recovery codes: the old ones are worth nothing. 409 `no_second_factor`."""
        codes = second_factors.renew_recovery_codes(user_id=cast("User", request.user).pk)
        return Response({"recovery_codes": codes})


class AnswerChallenge(APIView):
    """The second step of a login."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    class Answer(StrictSerializer):
        """What the login gave, and a code of the app or a recovery code."""

        challenge = StrictCharField(max_length=100, trim_whitespace=False)
        code = CodeField()

    @extend_schema(
        operation_id="auth_two_factor",
        request=Answer,
        responses={200: Tokens, **problems(400, 401, 413, 415, 429)},
    )
    def post(self, request: Request) -> Response:
        """Open the session. Five tries for each challenge, each counted as a login.

        401 `invalid_code`, 401 `invalid_challenge`: begin with the password again; 429
        `too_many_attempts`.
        """
        answer = self.Answer(data=request.data)
        answer.is_valid(raise_exception=True)
        opened = proofs.answer_challenge(
            **answer.validated_data,
            ip=request.META.get("REMOTE_ADDR") or None,
            user_agent=request.headers.get("User-Agent", ""),
        )
        return Response(tokens_of(opened))


class StepUp(APIView):
    """A fresh proof, for what is dangerous."""

    class Proof(StrictSerializer):
        """The password, or a code where there is a second factor."""

        password = PasswordField(required=False)
        code = CodeField(required=False)

    @extend_schema(
        operation_id="auth_step_up",
        request=Proof,
        responses={204: None, **problems(400, 401, 413, 415, 422, 429)},
    )
    def post(self, request: Request) -> Response:
        """Show once more that it is me. Dangerous actions are open to this session for 10 minutes.

        422 `wrong_proof`, 429 `too_many_attempts`.
        """
        proof = self.Proof(data=request.data)
        proof.is_valid(raise_exception=True)
        proofs.step_up(
            session=cast("Session", request.auth),
            password=proof.validated_data.get("password", ""),
            code=proof.validated_data.get("code", ""),
            ip=request.META.get("REMOTE_ADDR") or None,
        )
        return Response(status=204)
