"""The paths of the server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import FastAPI, File, Form, Request, Response, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.types import ASGIApp

from bmip.prompting.model import PromptedCLIP
from bmip.serving.admission import Admission
from bmip.serving.answers import About, Example, Health, Predictions, Problem
from bmip.serving.gauges import Gauges, Measured
from bmip.serving.guard import Access, Guard
from bmip.serving.limits import Limits, RefusedError
from bmip.serving.service import Service

PAGE = Path(__file__).with_name("page")
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
PNG = "image/png"
REFUSALS = {
    400: "The request is no form of the kind that is needed.",
    401: "A token is needed.",
    403: "The server has another name, or a page of another server asks.",
    408: "The request was not sent in full in time.",
    413: "A picture or the whole request has too many bytes.",
    415: "A file is no picture of a kind that is read.",
    422: "A field is missing or wrong, or a picture cannot be read; the sentence says which.",
    503: "Too many requests are waiting; Retry-After says when to ask again.",
    504: "The answer took too long.",
}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": why} for status, why in REFUSALS.items()
}

Names = Annotated[
    list[str], Form(description="A field for each name. Without any, the classes of training.", min_length=0)
]


def make_app(
    model: PromptedCLIP,
    limits: Limits = Limits(),
    access: Access = Access(),
    examples: Mapping[str, bytes] | None = None,
) -> ASGIApp:
    """The application that serves a trained model, which has a description (`PromptedCLIP.described`).

    Args:
        model: it is in evaluation mode from here on, and nobody else may use it while the application runs.
        limits: what a request may ask for.
        access: who may ask.
        examples: PNG files by name, shown as pictures to begin with.
    """
    gauges, examples = Gauges(), examples or {}
    described = model.described().shareable()
    spec = described.spec

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        app.state.service = service = Service(model, limits, gauges)
        yield
        service.close()

    app = FastAPI(
        title="bmip",
        summary="Trained prompts: pictures in, probabilities of any classes out.",
        version="1",
        lifespan=running,
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
        form_limits={"max_files": 2 * limits.images, "max_fields": 2 * limits.classes},
    )

    @app.get("/healthz")
    def health() -> Health:
        """Whether the server answers."""
        return Health(status="ok")

    @app.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    def metrics() -> Response:
        """Counts and times, in the text format of Prometheus."""
        return Response(generate_latest(gauges.registry), media_type=CONTENT_TYPE_LATEST)

    @app.get("/api/model")
    def about(request: Request) -> About:
        """What is served, and what a request may ask for."""
        return About(
            method=spec.method_name,
            backbone=described.backbone,
            trained_on=spec.data or None,
            classes=list(model.classes.names),
            shots=spec.shots if described.split_hash and spec.shots else None,
            limits=vars(limits),
            explains=request.app.state.service.explains,
            examples=[Example(name=name, url=f"/api/examples/{quote(name)}") for name in examples],
        )

    @app.get(
        "/api/examples/{name}",
        response_class=Response,
        responses={200: {"content": {PNG: {}}}, 404: {"model": Problem, "description": "There is no such picture."}},
    )
    def example(name: str) -> Response:
        """A picture to begin with."""
        if name not in examples:
            raise RefusedError(404, f"there is no example {name!r}; /api/model lists them")
        return Response(examples[name], media_type=PNG)

    @app.post("/api/predict", responses=PROBLEMS)
    async def predict(
        request: Request,
        images: Annotated[list[UploadFile], File(description="One picture or several.")],
        classes: Names = [],  # noqa: B006  (FastAPI copies it)
        top_k: Annotated[int | None, Form(ge=1, description="How many classes to name; otherwise all.")] = None,
    ) -> Predictions:
        """The probabilities of the classes for each picture."""
        return await request.app.state.service.predict(images, classes, top_k)

    @app.post("/api/explain", response_class=Response, responses={200: {"content": {PNG: {}}}, **PROBLEMS})
    async def explain(
        request: Request,
        image: Annotated[UploadFile, File(description="One picture.")],
        classes: Names = [],  # noqa: B006
    ) -> Response:
        """A picture of what the model looks at: which patches speak for the one class and which for the other."""
        return Response(await request.app.state.service.explain(image, classes), media_type=PNG)

    for file in sorted(PAGE.glob("*.*")):
        _serve_file(app, "/" if file.name == "index.html" else f"/{file.name}", file)

    app.exception_handler(RefusedError)(_refused)
    app.exception_handler(Exception)(_failed)
    app.exception_handler(RequestValidationError)(_invalid)
    paths = frozenset(app.openapi()["paths"])
    return Measured(Guard(Admission(app, limits, gauges.inside.set), access), gauges, paths | {"/"})


def _serve_file(app: FastAPI, path: str, file: Path) -> None:
    content = file.read_bytes()

    @app.get(path, include_in_schema=False)
    def page() -> Response:
        return Response(content, media_type=TYPES[file.suffix])


async def _refused(request: Request, error: RefusedError) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, error.status)


async def _failed(request: Request, error: Exception) -> JSONResponse:
    said = {"detail": "the server failed at this request; its terminal says why"}
    return JSONResponse(said, 500, {"connection": "close"})  # uvicorn closes it after an error; the client should know


async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
    """What FastAPI finds wrong with a field, as a sentence."""
    return JSONResponse({"detail": "; ".join(dict.fromkeys(map(_sentence, error.errors())))}, 422)


def _sentence(fault: Mapping[str, Any]) -> str:
    field = next((part for part in fault["loc"][1:] if isinstance(part, str)), "the request")
    if fault["type"] == "missing":
        return f"{field} is missing: send it in a form (multipart/form-data)"
    if "UploadFile" in fault["msg"]:
        return f"{field} is no file: send it with a file name"
    return f"{field}: {fault['msg']}"
