"""People's files where no bucket is: taken and given by signed addresses alone."""

from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from apps.users.services.avatars import LARGEST_BYTES
from apps.users.uploads import files, name_in, permission_in

FORM_BYTES = 16 * 1024


@csrf_exempt  # nothing but the signed policy lets anybody in
@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Keep the file of an upload form, if it is what the form allows."""
    # The largest file of any form, before a byte of the body is read.
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_BYTES + FORM_BYTES:
        raise RequestDataTooBig
    permission = permission_in(request.POST.get("policy", ""))
    if permission is None or request.POST.get("key") != permission.name:
        raise PermissionDenied
    file = request.FILES.get("file")
    if file is None or request.POST.get("Content-Type") != permission.content_type:
        raise SuspiciousOperation("The form was changed.")
    if not 0 < (file.size or 0) <= permission.largest:
        raise RequestDataTooBig
    files().save(permission.name, file)
    return HttpResponse(status=204)


@require_GET
def download(request: HttpRequest, signed: str) -> Any:
    """Give a picture to whoever has its address."""
    name = name_in(signed)
    if name is None:
        raise PermissionDenied
    try:
        file = files().open(name)
    except FileNotFoundError as error:
        raise Http404 from error
    return FileResponse(
        file, content_type="image/webp", headers={"Cache-Control": "private, max-age=300"}
    )
