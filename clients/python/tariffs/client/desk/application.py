"""Application of the pages: addresses, sign-in, kept answers, and headers that keep strangers out."""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import jinja2
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response

from tariffs.client.desk import (
    front,
    law_pages,
    outcome_pages,
    own_tables,
    question_pages,
    quotes,
    rows,
    runs,
    scenario_pages,
)
from tariffs.client.desk.access import COOKIE, Access, SignIn
from tariffs.client.desk.kept_answers import COMPUTING, Answers
from tariffs.client.desk.page import ANSWER, RUN, Page, Parts, Site, site_of
from tariffs.client.desk.question import Question, faults_of, own_address
from tariffs.client.desk.responses import (
    KEEP,
    error_json,
    is_secure,
    not_ours,
    not_there,
    read_form,
    receive_file,
    status_of,
    wants_json,
    with_etag,
)  # fmt: skip
from tariffs.client.desk.unsaved import title_of
from tariffs.client.errors import InvalidRequest, TariffsError, Unauthenticated
from tariffs.client.results.short_names import spelled_out
from tariffs.questions.index import INDEX

_HERE = Path(__file__).resolve().parent
VIEWS = (
    front.FRONT, front.RATE, quotes.QUOTE, quotes.DAYS, *question_pages.pages(), runs.COMPARE, runs.TIMELINE_PAGE,
    runs.SWEEP_PAGE, outcome_pages.COLLECTIONS, outcome_pages.SCORE, outcome_pages.HINDCAST, law_pages.LAW,
    law_pages.MEASURE, law_pages.CODES, law_pages.DIFF, scenario_pages.SCENARIO, own_tables.TABLES,
    own_tables.MAPPING, rows.BOM, rows.WATCH,
)  # fmt: skip
_NAVIGATION = (
    "/quote", *(f"/{name}" for name in INDEX), "/bom", "/watch", "/compare", "/timeline", "/sweep", "/collections",
    "/score", "/hindcast", "/scenario", "/tables", "/law",
)  # fmt: skip
_FILES = {"/desk/desk.css": "text/css", "/desk/desk.js": "text/javascript"}
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
_UPLOAD = "/upload"
_FIRST_LOOK = 1.0
"""Seconds that a page waits for an answer that takes long, before it says so."""
_NOTHING: Parts = {"heading": "", "form": {"fields": ()}}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Visit:
    """Request of a reader, with its sign-in and question."""

    request: Request
    sign_in: SignIn
    question: Question

    @property
    def is_part(self) -> bool:
        """True if a script asks for a part of a page."""
        return self.request.headers.get("x-part") == "1"


class Desk:
    """ASGI application of the pages, for the readers and with the client of an access."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._answers = Answers()
        # Its own threads: pages wait for runs, and must not keep others from the threads of the event loop.
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="desk")
        self._uploads = asyncio.Semaphore(_UPLOADS)
        self._views: Mapping[str, Page] = {view.path: view for view in VIEWS}
        self._files = {path: (_HERE / "static" / Path(path).name).read_bytes() for path in _FILES}
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader([_HERE / "templates", _HERE.parent / "results" / "templates"]),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )
        self._templates.filters |= {"quoted": quote, "named": title_of, "spelled": spelled_out}
        version = hashlib.sha256(b"".join(self._files.values())).hexdigest()[:12]
        navigation = {path: self._views[path].title for path in _NAVIGATION}
        self._templates.globals |= {
            "version": version,
            "navigation": navigation,
            "suffixes": ",".join(own_tables.SUFFIXES),
        }
        self._writes: Mapping[str, Callable[[_Visit], Awaitable[Response]]] = {
            "/sign-in": self._sign_in,
            "/sign-out": self._sign_out,
            "/scenario": self._edit,
            **{view.path: self._act for view in VIEWS if view.act},
            **{view.path + _UPLOAD: self._upload for view in VIEWS if view.store},
        }

    def answers(self, method: str, path: str) -> bool:
        """Test whether a request is one for these pages."""
        if method == "POST":
            return path in self._writes
        return self._view_of(path) is not None or path in {*self._writes, *self._files}

    def _view_of(self, path: str) -> Page | None:
        """Return the view of an address: its own, or that of all addresses below one that ends with a slash."""
        folder = path[: path.rindex("/") + 1]
        return self._views.get(path) or (self._views.get(folder) if folder != "/" else None)

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
        if not is_named or (origin not in {None, "null"} and urlsplit(origin).netloc != host):
            return PlainTextResponse("Refused: the pages are for their own address.\n", 403)
        if request.url.query.count("&") > _MOST_VALUES:
            return PlainTextResponse("The address has too many values.\n", 414)
        return None

    async def _answer(self, request: Request) -> Response:
        if (file := self._files.get(request.url.path)) is not None:
            return Response(file, headers=_FOR_GOOD, media_type=_FILES[request.url.path])
        found = SimpleCookie(request.headers.get("cookie", "")[:8192]).get(COOKIE)
        known = SignIn.of(self._access, found.value) if found else None
        # A program sends its token with each request, as to the methods, and is given no cookie.
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        bearer = token.strip() if scheme.lower() == "bearer" else ""
        sign_in = SignIn.new(bearer) if bearer else known or SignIn.new()
        visit = _Visit(request, sign_in, Question.of(request.url.path, request.url.query))
        with self._access.reading(request.scope, visit.sign_in.token):
            try:
                response = await self._answer_to(visit)
            except Exception as error:
                response = self._failed(visit, error)
        if "set-cookie" not in response.headers and not bearer and (known is None or known.is_old):
            response.headers["set-cookie"] = self._cookie(visit, visit.sign_in)
        return response

    async def _answer_to(self, visit: _Visit) -> Response:
        method, path = visit.request.method, visit.question.path
        write, view = self._writes.get(path), self._view_of(path)
        if method == "POST" and write is not None:
            return await write(visit)
        if method in {"GET", "HEAD"} and view is not None:
            return await self._view(view, visit)
        if method in {"GET", "HEAD"} and path == "/sign-in":
            return self._sign_in_page(visit)
        if view is None and write is None:
            raise not_there("There is no such page.")
        return Response(status_code=405, headers={"allow": "GET, HEAD" if view is not None else "POST"})

    def _cookie(self, visit: _Visit, sign_in: SignIn) -> str:
        return sign_in.cookie(self._access, is_secure=is_secure(visit.request))

    # -- views ---------------------------------------------------------------------------------------------------

    async def _view(self, view: Page, visit: _Visit) -> Response:
        site = await self._in_thread(self._site)
        wanted = visit.question.format or ("json" if wants_json(visit.request) else "")
        try:
            answered = self._answered(
                view, visit.question, site, _FIRST_LOOK if view.seconds and not wanted else None
            )
            answer, error = await answered, None
        except TariffsError as caught:
            answer, error = None, caught
        if error is not None and (wanted or isinstance(error, Unauthenticated)):
            raise error
        if answer is COMPUTING:
            page = self._page(
                "computing.html.j2", visit, None, site=site, title=view.title, seconds=view.seconds
            )
            return Response(page, 202, headers={"cache-control": "no-store"}, media_type="text/html")
        if not wanted:
            return await self._shown(view, visit, site, answer, error)
        if answer is None:
            raise not_there("The address asks nothing: add its query.")
        return await self._in_thread(lambda: self._document(view, answer, wanted))

    async def _shown(
        self, view: Page, visit: _Visit, site: Site, answer: Any, error: TariffsError | None, **more: Any
    ) -> Response:
        question = visit.question

        def parts() -> Parts:
            is_own = view.template != ANSWER
            own = view.show(question, site, answer) if is_own or answer is not None else {}
            form = view.form(question, site, own)
            return {
                "heading": "",
                "upload": (),
                "begin": view.begin,
                "files": view.links(question),
                "form": form,
                **own,
            }

        shown: Parts = {"title": view.title, "site": site, **await self._in_thread(parts), **more}
        page = await self._in_thread(lambda: self._page(view.template, visit, error, **shown))
        return with_etag(visit.request, page, 200 if error is None else status_of(error))

    def _site(self) -> Site:
        return site_of(self._access.client, lambda: self._library)

    @cached_property
    def _library(self) -> list[tuple[str, str]]:
        return [(one.id, one.title) for one in self._access.client.scenarios()]

    async def _answered(self, view: Page, question: Question, site: Site, seconds: float | None) -> Any:
        """Get the answer to a question: the one that is kept, for readers who may ask it, else their own.

        `COMPUTING` if it takes longer than some seconds; it is then computed on, for whoever asks next.
        """
        client = self._access.client
        text = "\n".join([question.canonical, site.law.digest, site.owner_of(question)])
        digest = hashlib.sha256(text.encode()).hexdigest()

        def ask() -> Awaitable[Any]:
            return self._in_thread(lambda: view.answered(client, question, site))

        is_kept = site.may_ask(question, view.role) and (not view.is_personal or question.names_rows)
        if not is_kept:
            return await ask()
        return await self._answers.get(digest, ask, seconds)

    def _document(self, view: Page, answer: Any, wanted: str) -> Response:
        if wanted == "json":
            return JSONResponse(view.document(answer), headers=KEEP)
        file = view.files.get(wanted)
        if file is None:
            raise not_there(f"{view.title} has no such file.")
        name = f"{view.path.removeprefix('/')}.{file.suffix}"
        headers = {**KEEP, "content-disposition": f'attachment; filename="{name}"'}
        return Response(file.make(answer), headers=headers, media_type=file.media_type)

    def _page(self, template: str, visit: _Visit, error: TariffsError | None, **parts: Any) -> bytes:
        shared: Parts = {
            "site": None,
            "question": visit.question,
            "error": error,
            "faults": {} if error is None else faults_of(error),
            "proof": visit.sign_in.proof,
            "is_signed_in": bool(visit.sign_in.token),
            "is_part": visit.is_part,
        }
        return self._templates.get_template(template).render({**shared, **parts}).encode()

    def _failed(self, visit: _Visit, caught: Exception) -> Response:
        is_json = wants_json(visit.request)
        if isinstance(caught, Unauthenticated) and not is_json:
            return self._sign_in_page(visit, caught if visit.sign_in.token else None)
        if not isinstance(caught, TariffsError):
            raise caught
        if is_json:
            return error_json(caught)
        page = self._page("answer.html.j2", visit, caught, title="Not answered", **_NOTHING)
        return HTMLResponse(page, status_of(caught), headers=KEEP)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Do work in a thread, as the current reader."""
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._threads, context.run, work)

    # -- what writes ---------------------------------------------------------------------------------------------

    def _sign_in_page(
        self, visit: _Visit, error: TariffsError | None = None, following: str = ""
    ) -> Response:
        url, is_own = visit.request.url, visit.question.path == "/sign-in"
        here = url.path + (f"?{url.query}" if url.query else "")
        following = own_address(following or (visit.question.get("next") if is_own else here))
        access = {"has_sign_in": self._access.has_sign_in}
        page = self._page("sign_in.html.j2", visit, error, title="Sign in", following=following, **access)
        return HTMLResponse(page, 200 if is_own else 401, headers=KEEP)

    async def _sign_in(self, visit: _Visit) -> Response:
        fields = await read_form(visit.request, visit.sign_in)
        token, following = fields.get("token", "").strip(), fields.get("next", "")
        with self._access.reading(visit.request.scope, token):
            try:
                await self._in_thread(self._access.client.whoami)
            except Unauthenticated as error:
                return self._sign_in_page(visit, error, following)
        cookie = {"set-cookie": self._cookie(visit, SignIn.new(token))}
        return RedirectResponse(own_address(following), 303, headers=cookie)

    async def _sign_out(self, visit: _Visit) -> Response:
        await read_form(visit.request, visit.sign_in)
        return RedirectResponse("/sign-in", 303, headers={"set-cookie": self._cookie(visit, SignIn.new())})

    async def _edit(self, visit: _Visit) -> Response:
        """Check a scenario, add a change to its text, or save it."""
        fields, client, error = await read_form(visit.request, visit.sign_in), self._access.client, None
        site = await self._in_thread(self._site)
        try:
            found = await self._in_thread(lambda: scenario_pages.act(client, fields))
        except TariffsError as caught:
            error = caught
            found = await self._in_thread(lambda: scenario_pages.act(client, {**fields, "action": ""}))
        is_saved = fields.get("action") == scenario_pages.SAVE
        following = f"/scenario?{urlencode({'s': found.name})}" if is_saved else found.address
        if error is None and following and not visit.is_part:
            return RedirectResponse(following, 303)
        return await self._shown(scenario_pages.SCENARIO, visit, site, found, error)

    async def _act(self, visit: _Visit) -> Response:
        """Do what the form of a page says."""
        fields, act = await read_form(visit.request, visit.sign_in), self._views[visit.question.path].act
        assert act is not None
        return RedirectResponse(await self._in_thread(partial(act, self._access.client, fields)), 303)

    async def _upload(self, visit: _Visit) -> Response:
        """Store a table whose file is the body, written block by block; the answer is the address of the table."""
        if not visit.sign_in.is_proof(visit.request.headers.get("x-proof", "")):
            raise not_ours("The file does not come from a page that was shown to you.")
        site, store = (
            await self._in_thread(self._site),
            self._views[visit.question.path.removesuffix(_UPLOAD)].store,
        )
        assert store is not None
        if not site.may_ask(visit.question, RUN):
            raise not_ours("You may not store tables.")
        with tempfile.TemporaryDirectory(prefix="tariffs-desk-") as folder:
            file = Path(folder) / "upload"
            async with self._uploads:
                await receive_file(visit.request, file)
                try:
                    stored = partial(store, self._access.client, visit.question, file)
                    return JSONResponse({"address": await self._in_thread(stored)})
                except InvalidRequest as caught:
                    asked = store is own_tables.store
                    fields = (
                        await self._in_thread(partial(own_tables.mapping_fields, file.parent, caught))
                        if asked
                        else []
                    )
                    page = self._page("mapping.html.j2", visit, caught, mapped=fields)
                    return HTMLResponse(page, status_of(caught), headers=KEEP)
