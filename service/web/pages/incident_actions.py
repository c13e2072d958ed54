"""What the forms of an incident's page do: the same as the API, in a browser and without a script."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from service.store.marks import AlarmVerdict
from service.web.api import words
from service.web.api.incidents import MarkOrder, mark
from service.web.api.parameters import NameInPath
from service.web.api.words import AcceptSpanOrder, Acknowledgement, ExpectOrder, Release, SilenceOrder
from service.web.dependencies import Dependencies, WebDependencies
from service.web.forms import form_fields
from service.web.links import incident_page
from service.web.pages.incident import shown
from service.web.pages.page import root_of
from service.web.problems import Mistake, joined, sentence_of

FORM_FOLDER = "/incidents/"
_MOST_FIELDS = 12
_NOT_SURE = "tick that you have read what accepting does; nothing was changed"

Fields = Mapping[str, str]
Act = Callable[[WebDependencies, Request, str, Fields], Any]


async def _fields(request: Request) -> dict[str, str]:
    return await form_fields(request, _MOST_FIELDS)


def act(
    request: Request,
    web: Dependencies,
    incident_id: NameInPath,
    fields: Annotated[dict[str, str], Depends(_fields)],
) -> Response:
    """Do what a form says, and show the page again; with why not where it cannot be done."""
    chosen = _ACTS.get(fields.pop("do", ""))
    try:
        if chosen is None:
            raise HTTPException(422, "this page has no such form")
        chosen(web, request, incident_id, fields)
    except ValidationError as wrong:
        return shown(request, web, incident_id, _said(wrong))
    except HTTPException as refused:
        if refused.status_code not in {409, 422}:
            raise
        return shown(request, web, incident_id, str(refused.detail))
    return Response(status_code=303, headers={"Location": f"{root_of(request)}{incident_page(incident_id)}"})


def _said(wrong: ValidationError) -> str:
    """Each mistake in a sentence; inputs are not echoed."""
    return joined(
        Mistake(parameter=".".join(map(str, one["loc"])), sentence=sentence_of(one)) for one in wrong.errors()
    )


def _order(kind: type[BaseModel], fields: Fields) -> Any:
    return kind.model_validate(dict(fields))


def _lasting(fields: Fields) -> dict[str, str]:
    """A time that was written counts, else the duration that was chosen."""
    kept = {name: value for name, value in fields.items() if name != "for" or "until" not in fields}
    return {name: value for name, value in kept.items() if value != "open"}


def _acknowledge(web: WebDependencies, request: Request, incident: str, fields: Fields) -> Any:
    return words.acknowledge(web, request, incident, _order(Acknowledgement, fields))


def _release(web: WebDependencies, request: Request, incident: str, fields: Fields) -> Any:
    return words.release(web, request, incident, _order(Release, fields))


def _silence(web: WebDependencies, request: Request, incident: str, fields: Fields) -> Any:
    return words.silence(web, request, incident, _order(SilenceOrder, _lasting(fields)))


def _expect(web: WebDependencies, request: Request, incident: str, fields: Fields) -> Any:
    return words.expect(web, request, incident, _order(ExpectOrder, _lasting(fields)))


def _accept(web: WebDependencies, request: Request, incident: str, fields: Fields) -> Any:
    if fields.get("sure") != "yes":
        raise HTTPException(422, _NOT_SURE)
    order = {name: value for name, value in fields.items() if name != "sure"}
    return words.accept(web, request, incident, _order(AcceptSpanOrder, order))


def _mark(verdict: AlarmVerdict) -> Act:
    def do(web: WebDependencies, request: Request, incident: str, fields: Fields) -> Any:
        return mark(web, request, incident, _order(MarkOrder, {**fields, "verdict": verdict.value}))

    return do


def _end(web: WebDependencies, request: Request, _incident: str, fields: Fields) -> Any:
    number = fields.get("silence", "")
    if not number.isdecimal() or len(number) > 18:
        raise HTTPException(422, "this is no silence")
    why = _order(Release, {"why": fields["why"]} if "why" in fields else {}).why
    return words.end_silence(web, request, int(number), why)


_ACTS: Mapping[str, Act] = {
    "acknowledge": _acknowledge,
    "release": _release,
    "silence": _silence,
    "expect": _expect,
    "accept": _accept,
    "false-alarm": _mark(AlarmVerdict.FALSE_ALARM),
    "true-alarm": _mark(AlarmVerdict.TRUE_ALARM),
    "end": _end,
}


def add_incident_forms(router: APIRouter) -> None:
    """Beside the page that they stand on; who may write may send them."""
    router.add_api_route("/incidents/{incident_id}", act, methods=["POST"], response_class=HTMLResponse)
