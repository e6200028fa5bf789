"""The door of the back office: a password, then a code, and a session that can be ended.

The cookie alone opens nothing: it points at a row of `users_session`, like an access token does.
"""

from datetime import timedelta
from typing import Any, cast

import segno
from django import forms
from django.conf import settings
from django.contrib import auth
from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminPasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from apps.kernel.errors import DomainError
from apps.users.models import User
from apps.users.selectors.second_factors import person_challenged
from apps.users.selectors.sessions import office_session_of
from apps.users.services import challenges, passwords, proofs, second_factors, sessions

# What the cookie's session remembers: the session it stands for; before that, the login half-way.
SESSION, CHALLENGE = "office_session", "office_challenge"
BACKEND = "django.contrib.auth.backends.ModelBackend"


class PasswordStep(forms.Form):
    """The first step of a login."""

    username = forms.CharField(
        label="E-mail address",
        max_length=254,
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "username"}),
    )
    password = forms.CharField(
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class CodeStep(forms.Form):
    """The second step."""

    code = forms.CharField(
        max_length=40,
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "one-time-code"}),
    )


class OwnPassword(AdminPasswordChangeForm):
    """A new password ends all sessions, this one too."""

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002 - Django's signature
        passwords.change_password(user_id=self.user.pk, password=self.cleaned_data["new_password1"])
        self.user.refresh_from_db()
        return self.user


class BackOffice(AdminSite):
    """Django's admin for staff who have shown a second factor in a session that lives."""

    def has_permission(self, request: HttpRequest) -> bool:
        if not super().has_permission(request):
            return False
        if not hasattr(request, "auth"):  # as the REST framework names what proves the user
            request.auth = office_session_of(  # type: ignore[attr-defined]  # so for both
                user_id=cast("User", request.user).pk, session_id=request.session.get(SESSION, "")
            )
        return request.auth is not None  # type: ignore[attr-defined]  # set just now

    @method_decorator([never_cache, sensitive_post_parameters()])
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Ask for the password, then for a code; who has no second factor yet sets one up."""
        if request.method == "GET" and self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index", current_app=self.name))
        if "code" in request.POST:
            return self._second_step(request)
        if request.method != "POST":
            return self._page(request, "admin/login.html", PasswordStep())
        form = PasswordStep(request.POST)
        if not form.is_valid():
            return self._page(request, "admin/login.html", form)
        try:
            challenge = sessions.challenge_staff(
                email=form.cleaned_data["username"],
                password=form.cleaned_data["password"],
                ip=request.META.get("REMOTE_ADDR") or None,
            )
        except DomainError as refusal:
            form.add_error(None, refusal.detail)
            return self._page(request, "admin/login.html", form)
        request.session[CHALLENGE] = challenge.token
        if challenge.has_second_factor:
            return self._page(request, "admin/code.html", CodeStep())
        return self._enrol(request, challenge.token)

    def get_urls(self) -> list[Any]:
        step_up = path("step-up/", self.admin_view(self.step_up), name="step_up")
        return [step_up, *super().get_urls()]

    def step_up(self, request: HttpRequest) -> HttpResponse:
        """Ask for a code once more, before what is dangerous."""
        if request.method != "POST":
            return self._page(request, "admin/code.html", CodeStep())
        form = CodeStep(request.POST)
        if not form.is_valid():
            return self._page(request, "admin/code.html", form)
        try:
            proofs.step_up(
                session=request.auth,  # type: ignore[attr-defined]  # admin_view has set it
                password="",
                code=form.cleaned_data["code"],
                ip=request.META.get("REMOTE_ADDR") or None,
            )
        except DomainError as refusal:
            form.add_error("code", refusal.detail)
            return self._page(request, "admin/code.html", form)
        return HttpResponseRedirect(self._next(request))

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        if self.has_permission(request):
            sessions.log_out(session=request.auth)  # type: ignore[attr-defined]  # set just now
        return super().logout(request, extra_context)

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        view = PasswordChangeView.as_view(
            form_class=OwnPassword,
            success_url=reverse("admin:password_change_done", current_app=self.name),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        return view(request)

    def _enrol(self, request: HttpRequest, challenge: str) -> HttpResponse:
        person = person_challenged(challenge=challenges.hash_of(challenge))
        if person is None:
            return self._begin_again(request)
        try:
            enrolment = second_factors.begin(user_id=person.pk, email=person.email)
        except second_factors.SecondFactorIsOn:  # another login has just set one up
            return self._begin_again(request)
        picture = segno.make(enrolment.uri).svg_inline(scale=4, dark="#000", light="#fff")
        context = {"secret": enrolment.secret, "picture": picture}
        return self._page(request, "admin/code.html", CodeStep(), **context)

    def _second_step(self, request: HttpRequest) -> HttpResponse:
        challenge = request.session.get(CHALLENGE, "")
        person = person_challenged(challenge=challenges.hash_of(challenge))
        if person is None:
            return self._begin_again(request)
        form = CodeStep(request.POST)
        if not form.is_valid():
            return self._page(request, "admin/code.html", form)
        answer: dict[str, Any] = {
            "challenge": challenge,
            "code": form.cleaned_data["code"],
            "ip": request.META.get("REMOTE_ADDR") or None,
            "user_agent": request.headers.get("User-Agent", ""),
            "lifetime": timedelta(seconds=settings.SESSION_COOKIE_AGE),
        }
        recovery_codes: list[str] = []
        try:
            if person.has_second_factor:
                opened = proofs.answer_challenge(**answer)
            else:
                opened, recovery_codes = proofs.answer_with_first_code(**answer)
        except proofs.InvalidChallenge:
            return self._begin_again(request)
        except DomainError as refusal:
            form.add_error("code", refusal.detail)
            return self._page(request, "admin/code.html", form)
        auth.login(request, person, backend=BACKEND)
        del request.session[CHALLENGE]
        request.session[SESSION] = str(opened.session_id)
        if recovery_codes:
            return self._page(
                request, "admin/recovery_codes.html", form, recovery_codes=recovery_codes
            )
        return HttpResponseRedirect(self._next(request))

    def _begin_again(self, request: HttpRequest) -> HttpResponse:
        request.session.pop(CHALLENGE, None)
        form = PasswordStep({})
        form.errors.clear()
        form.add_error(None, proofs.OVER)
        return self._page(request, "admin/login.html", form)

    def _page(
        self, request: HttpRequest, template: str, form: forms.Form, **context: object
    ) -> HttpResponse:
        return TemplateResponse(
            request,
            template,
            {
                **self.each_context(request),
                "title": "Log in",
                "form": form,
                "app_path": request.get_full_path(),
                "next": self._next(request),
                **context,
            },
        )

    def _next(self, request: HttpRequest) -> str:
        wanted = request.POST.get("next") or request.GET.get("next") or ""
        hosts, secure = {request.get_host()}, request.is_secure()
        if url_has_allowed_host_and_scheme(wanted, allowed_hosts=hosts, require_https=secure):
            return wanted
        return reverse("admin:index", current_app=self.name)
