"""The JSON that the server answers with; its OpenAPI document is made of these."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Score(BaseModel):
    """One class that a picture may show."""

    name: str = Field(serialization_alias="class")
    probability: float = Field(ge=0, le=1, description="Among the classes that were asked about.")


class Picture(BaseModel):
    """What one picture shows."""

    name: str = Field(description="The name of the file that was sent.")
    scores: list[Score] = Field(description="The most probable class first.")


class Predictions(BaseModel):
    """What the pictures of a request show, in their order."""

    classes: list[str]
    predictions: list[Picture]


class Example(BaseModel):
    """A picture to try the model on."""

    name: str
    url: str


class About(BaseModel):
    """What is served."""

    method: str
    backbone: str = Field(description="The CLIP.")
    trained_on: str | None = Field(description="The data set, or the last part of the path of the images.")
    classes: list[str] = Field(description="Those of training; other classes can be asked about as well.")
    shots: int | None = Field(description="Training images of each class; null: all, or unknown.")
    limits: dict[str, int]
    explains: bool = Field(description="Whether there are explanations, which methods for fixed classes do not have.")
    examples: list[Example]


class Health(BaseModel):
    """The server answers."""

    status: str


class Problem(BaseModel):
    """Why a request is not answered."""

    detail: str
