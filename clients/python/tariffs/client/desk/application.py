"""Application of the pages: addresses, sign-in, kept answers, and headers that keep strangers out."""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import jinja2
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from tariffs.client.desk import (
    front,
    law_pages,
    outcome_pages,
    own_tables,
    quotes,
    runs,
    scenario_pages,
    sources,
)
from tariffs.client.desk.access import COOKIE, Access, SignIn
from tariffs.client.desk.kept_answers import Answers
from tariffs.client.desk.page import RUN, Page, Parts, Site, site_of
from tariffs.client.desk.question import Question, faults_of, own_address
from tariffs.client.desk.responses import (
    KEEP,
    is_secure,
    not_ours,
    read_form,
    receive_file,
    status_of,
    wants_json,
    with_etag,
)
from tariffs.client.desk.unsaved import title_of
from tariffs.client.errors import InvalidRequest, NotFound, TariffsError, Unauthenticated

_HERE = Path(__file__).resolve().parent
VIEWS = (
    front.FRONT, front.RATE, quotes.QUOTE, quotes.DAYS, sources.SOURCE, runs.COMPARE, runs.TIMELINE_PAGE,
    runs.SWEEP_PAGE, outcome_pages.COLLECTIONS, outcome_pages.SCORE, outcome_pages.HINDCAST,
    law_pages.LAW, law_pages.MEASURE, law_pages.DIFF, scenario_pages.SCENARIO, own_tables.TABLES,
    own_tables.MAPPING,
)  # fmt: skip
_FILES = {"desk.css": "text/css", "desk.js": "text/javascript"}
_SAFE = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "vary": "accept, cookie",
}
_FOR_GOOD = {"cache-control": "public, max-age=31536000, immutable"}
_THREADS, _UPLOADS, _MOST_VALUES = 24, 4, 500
T = TypeVar("T")


class Desk:
    """ASGI application of the pages.

    Args:
        access: who the readers are, and the client that makes their calls.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._answers = Answers()
        # Its own threads: pages wait for runs, and must not keep others from the threads of the event loop.
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="desk")
        self._uploads = asyncio.Semaphore(_UPLOADS)
        self._views: Mapping[str, Page] = {view.path: view for view in VIEWS}
        self._files = {name: (_HERE / "static" / name).read_bytes() for name in _FILES}
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader([_HERE / "templates", _HERE.parent / "results" / "templates"]),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )
        self._templates.filters |= {"quoted": quote, "named": title_of}
        version = hashlib.sha256(b"".join(self._files.values())).hexdigest()[:12]
        self._templates.globals |= {"version": version, "pages": {*self._views}}
        self._writes: Mapping[str, Callable[[Request, SignIn], Awaitable[Response]]] = {
            "/sign-in": self._sign_in,
            "/sign-out": self._sign_out,
            "/scenario": self._edit,
            "/tables": self._delete_table,
            "/tables/upload": self._upload,
        }

    def answers(self, method: str, path: str) -> bool:
        """Test whether a request is one for these pages."""
        if method == "POST":
            return path in self._writes
        return self._view_of(path) is not None or path in self._writes or path.startswith("/desk/")

    def _view_of(self, path: str) -> Page | None:
        """Return the view of an address: its own, or that of all addresses below one that ends with a slash."""
        return self._views.get(path) or next(
            (
                one
                for below, one in self._views.items()
                if len(below) > 1 and below[-1] == "/" and path.startswith(below)
            ),
            None,
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            response = self._refused(request) or await self._answer(request)
        except ClientDisconnect:
            return
        for name, value in _SAFE.items():
            response.headers.setdefault(name, value)
        await response(scope, receive, send)

    def _refused(self, request: Request) -> Response | None:
        """Refuse what pages of other sites ask for through the reader's browser, and names that are not ours."""
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        names = self._access.hosts
        is_named = not names or urlsplit(f"//{host}").hostname in names
        # A browser that tells no page where it goes sends the origin "null" with forms; the proof decides then.
        if is_named and (origin in {None, "null"} or urlsplit(origin).netloc == host):
            is_long = request.url.query.count("&") > _MOST_VALUES
            return (
                Response("The address has too many values.\n", 414, media_type="text/plain")
                if is_long
                else None
            )
        return Response("Refused: the pages are for their own address.\n", 403, media_type="text/plain")

    async def _answer(self, request: Request) -> Response:
        path = request.url.path
        if path.startswith("/desk/"):
            return self._file(path.removeprefix("/desk/"))
        found = SimpleCookie(request.headers.get("cookie", "")[:8192]).get(COOKIE)
        known = SignIn.of(self._access, found.value) if found else None
        sign_in = known or SignIn.new()
        if request.method not in {"GET", "HEAD", "POST"}:
            return Response(status_code=405, headers={"allow": "GET, HEAD, POST"})
        with self._access.reading(request.scope, sign_in.token):
            try:
                if request.method == "POST":
                    response = await self._write(request, sign_in)
                elif (view := self._view_of(path)) is not None:
                    response = await self._view(view, request, sign_in)
                elif path == "/sign-in":
                    response = self._sign_in_page(request, sign_in)
                elif path in self._writes:
                    response = Response(status_code=405, headers={"allow": "POST"})
                else:
                    raise _not_there("There is no such page.")
            except Exception as error:
                response = self._failed(request, sign_in, error)
        if "set-cookie" not in response.headers and (known is None or known.is_old):
            response.headers["set-cookie"] = sign_in.cookie(self._access, is_secure=is_secure(request))
        return response

    def _file(self, name: str) -> Response:
        if name not in self._files:
            return Response(status_code=404)
        return Response(self._files[name], headers=_FOR_GOOD, media_type=_FILES[name])

    # -- views ---------------------------------------------------------------------------------------------------

    async def _view(self, view: Page, request: Request, sign_in: SignIn) -> Response:
        question = Question.of(request.url.path, request.url.query)
        site = await self._in_thread(self._site)
        try:
            answer, error = await self._answered(view, question, site), None
        except TariffsError as caught:
            answer, error = None, caught
        if isinstance(error, Unauthenticated):
            raise error
        wanted = question.format or ("json" if wants_json(request) else "")
        if wanted:
            if error is not None:
                raise error
            if answer is None:
                raise _not_there("The address asks nothing: add its query.")
            return await self._in_thread(lambda: self._document(view, answer, wanted))
        return await self._shown(view, request, sign_in, site, question, answer, error)

    async def _shown(
        self,
        view: Page,
        request: Request,
        sign_in: SignIn,
        site: Site,
        question: Question,
        answer: Any,
        error: TariffsError | None,
        **more: Any,
    ) -> Response:
        parts = await self._in_thread(lambda: view.show(question, site, answer))
        shared: Parts = {"title": view.title, **parts, **more}
        page = self._page(view.template, request, sign_in, site, question, error, **shared)
        return with_etag(request, page, 200 if error is None else status_of(error))

    def _site(self) -> Site:
        return site_of(self._access.client, lambda: self._library)

    @cached_property
    def _library(self) -> list[tuple[str, str]]:
        return [(one.id, one.title) for one in self._access.client.scenarios()]

    async def _answered(self, view: Page, question: Question, site: Site) -> Any:
        """Get the answer to a question: the one that is kept, for readers who may ask it, else their own."""
        client = self._access.client
        text = "\n".join([question.canonical, site.law.digest, site.owner_of(question)])
        digest = hashlib.sha256(text.encode()).hexdigest()

        def ask() -> Awaitable[Any]:
            return self._in_thread(lambda: view.ask(client, question, site.law))

        return await (self._answers.get(digest, ask) if site.may_ask(question, view.role) else ask())

    def _document(self, view: Page, answer: Any, wanted: str) -> Response:
        if wanted == "json":
            return JSONResponse(view.document(answer), headers=KEEP)
        if wanted not in view.files:
            raise _not_there(f"{view.title} has no such file.")
        kind, suffix, make = view.files[wanted]
        name = f"{view.path.removeprefix('/')}.{suffix}"
        headers = {**KEEP, "content-disposition": f'attachment; filename="{name}"'}
        return Response(make(answer), headers=headers, media_type=kind)

    def _page(
        self,
        template: str,
        request: Request,
        sign_in: SignIn,
        site: Site | None,
        question: Question,
        error: TariffsError | None = None,
        **parts: Any,
    ) -> bytes:
        shared: Parts = {
            "site": site,
            "question": question,
            "error": error,
            "faults": {} if error is None else faults_of(error),
            "proof": sign_in.proof,
            "is_signed_in": bool(sign_in.token),
            "is_part": request.headers.get("x-part") == "1",
        }
        return self._templates.get_template(template).render({**shared, **parts}).encode()

    def _failed(self, request: Request, sign_in: SignIn, caught: Exception) -> Response:
        if isinstance(caught, Unauthenticated) and not wants_json(request):
            return self._sign_in_page(request, sign_in, caught if sign_in.token else None)
        if not isinstance(caught, TariffsError):
            raise caught
        status = status_of(caught)
        if wants_json(request):
            faults = [{"field": one.field, "message": one.description} for one in caught.violations]
            return JSONResponse({"error": {**caught.to_json_dict(), "faults": faults}}, status, headers=KEEP)
        question = Question.of(request.url.path, request.url.query)
        page = self._page("error.html.j2", request, sign_in, None, question, caught, title="Not answered")
        return Response(page, status, headers=KEEP, media_type="text/html")

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Do work in a thread, as the current reader."""
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._threads, context.run, work)

    # -- what writes ---------------------------------------------------------------------------------------------

    async def _write(self, request: Request, sign_in: SignIn) -> Response:
        write = self._writes.get(request.url.path)
        if write is None:
            return Response(status_code=405, headers={"allow": "GET, HEAD"})
        return await write(request, sign_in)

    def _sign_in_page(
        self, request: Request, sign_in: SignIn, error: TariffsError | None = None, following: str = ""
    ) -> Response:
        question, is_own = Question.of(request.url.path, request.url.query), request.url.path == "/sign-in"
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        page = self._page(
            "sign_in.html.j2",
            request,
            sign_in,
            None,
            question,
            error,
            title="Sign in",
            following=own_address(following or (question.get("next") if is_own else here)),
            has_sign_in=self._access.has_sign_in,
        )
        return Response(page, 200 if is_own else 401, headers=KEEP, media_type="text/html")

    async def _sign_in(self, request: Request, sign_in: SignIn) -> Response:
        fields = await read_form(request, sign_in)
        token = fields.get("token", "").strip()
        with self._access.reading(request.scope, token):
            try:
                await self._in_thread(self._access.client.whoami)
            except Unauthenticated as error:
                return self._sign_in_page(request, sign_in, error, fields.get("next", ""))
        began = SignIn.new(token)
        response = RedirectResponse(own_address(fields.get("next", "")), 303)
        response.headers["set-cookie"] = began.cookie(self._access, is_secure=is_secure(request))
        return response

    async def _sign_out(self, request: Request, sign_in: SignIn) -> Response:
        await read_form(request, sign_in)
        response = RedirectResponse("/sign-in", 303)
        response.headers["set-cookie"] = SignIn.new().cookie(self._access, is_secure=is_secure(request))
        return response

    async def _edit(self, request: Request, sign_in: SignIn) -> Response:
        """Check a scenario, add a change to its text, or save it."""
        fields, client, error = await read_form(request, sign_in), self._access.client, None
        site = await self._in_thread(self._site)
        try:
            found = await self._in_thread(lambda: scenario_pages.act(client, fields))
        except TariffsError as caught:
            error = caught
            found = await self._in_thread(lambda: scenario_pages.act(client, {**fields, "action": ""}))
        if error is None and fields.get("action") == scenario_pages.SAVE:
            return RedirectResponse(f"/scenario?{urlencode({'s': found.name})}", 303)
        is_part = request.headers.get("x-part") == "1"
        if error is None and not is_part and found.address:
            return RedirectResponse(found.address, 303)
        question = Question("/scenario", ())
        return await self._shown(scenario_pages.SCENARIO, request, sign_in, site, question, found, error)

    async def _delete_table(self, request: Request, sign_in: SignIn) -> Response:
        fields = await read_form(request, sign_in)
        await self._in_thread(lambda: self._access.client.delete_table(fields.get("table", "")))
        return RedirectResponse("/tables", 303)

    async def _upload(self, request: Request, sign_in: SignIn) -> Response:
        """Store a table whose file is the body, written block by block; the answer is the address of the table."""
        if not sign_in.is_proof(request.headers.get("x-proof", "")):
            raise not_ours("The file does not come from a page that was shown to you.")
        question, site = Question.of("/tables", request.url.query), await self._in_thread(self._site)
        if not site.may_ask(question, RUN):
            raise not_ours("You may not store tables.")
        with tempfile.TemporaryDirectory(prefix="tariffs-desk-") as folder:
            file = Path(folder) / "upload"
            async with self._uploads:
                await receive_file(request, file)
                try:
                    address = await self._in_thread(
                        lambda: own_tables.store(self._access.client, question, file)
                    )
                except InvalidRequest as caught:
                    fields = await self._in_thread(partial(own_tables.mapping_fields, file.parent, caught))
                    shown = Question("/tables", ())
                    return await self._shown(
                        own_tables.TABLES, request, sign_in, site, shown, None, caught, mapped=fields
                    )
        return JSONResponse({"address": address})


def _not_there(message: str) -> NotFound:
    return NotFound("REQUEST_INVALID", message, code="NOT_FOUND")
