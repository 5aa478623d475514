"""What the server answers, over real HTTP, is what the package itself says."""

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import httpx
import numpy as np
import pytest
import torch
from PIL import Image

from bmip.class_names import ClassNames
from bmip.evaluation.predict import predict
from bmip.prompting.model import PromptedCLIP
from bmip.serving.classifier import Classifier, Question
from bmip.testing.tiny import COLOURS
from tests.serving.conftest import Serve, images, png, small_model

FILES = [png(colour, seed=seed) for seed, colour in enumerate(COLOURS)]


def expected(model: PromptedCLIP, files: list[bytes], names: list[str] | None = None) -> list[dict[str, float]]:
    """The probability of each class for each file, from `bmip.predict`."""
    pictures = [Image.open(BytesIO(file)) for file in files]
    return [
        {guess.name: guess.probability for guess in found.guesses} for found in predict(model, pictures, names, top=99)
    ]


def shares(answer: httpx.Response) -> list[dict[str, float]]:
    assert answer.status_code == 200, answer.text
    return [
        {score["class"]: score["probability"] for score in picture["scores"]}
        for picture in answer.json()["predictions"]
    ]


def test_probabilities_are_those_of_predict(server: httpx.Client, model: PromptedCLIP) -> None:
    answer = server.post("/api/predict", files=images(*FILES, names=("a.png", "b/c.png", "ü.png", "\t")))
    for found, told in zip(shares(answer), expected(model, FILES), strict=True):
        assert found == pytest.approx(told, abs=1e-5)
    assert answer.json()["classes"] == list(COLOURS)
    pictures = answer.json()["predictions"]
    assert [one["name"] for one in pictures[:3]] == ["a.png", "c.png", "ü.png"]
    for one in pictures:
        given = [score["probability"] for score in one["scores"]]
        assert given == sorted(given, reverse=True) and sum(given) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "HEIF"])
def test_kinds_of_files(server: httpx.Client, model: PromptedCLIP, kind: str) -> None:
    file = png("blue", kind=kind)
    (found,) = shares(server.post("/api/predict", files=images(file)))
    assert found == pytest.approx(expected(model, [file])[0], abs=1e-5)


def test_other_classes_and_the_best_of_them(server: httpx.Client, model: PromptedCLIP) -> None:
    names = ["a dog", "red", "grey dog"]
    answer = server.post("/api/predict", files=images(FILES[0]), data={"classes": names, "top_k": "2"})
    (found,), (told,) = shares(answer), expected(model, FILES[:1], names)
    best = sorted(told, key=lambda name: -told[name])[:2]
    assert list(found) == best and found == pytest.approx({name: told[name] for name in best}, abs=1e-5)
    assert answer.json()["classes"] == names


def test_images_with_prompts_of_their_own(serve: Serve) -> None:
    model = small_model("cocoop")
    client, names = serve(model), ["green", "a dog"]
    found = shares(client.post("/api/predict", files=images(*FILES), data={"classes": names}))
    for one, told in zip(found, expected(model, FILES, names), strict=True):
        assert one == pytest.approx(told, abs=1e-5)
    long = " ".join(["dog"] * 40)
    refused = client.post("/api/predict", files=images(FILES[0]), data={"classes": ["red", long]})
    assert refused.status_code == 422 and "tokens" in refused.json()["detail"]


def test_a_method_that_knows_its_classes_alone_says_so(serve: Serve) -> None:
    client = serve(small_model("coop", class_specific=True))
    assert client.post("/api/predict", files=images(FILES[0])).status_code == 200
    refused = client.post("/api/predict", files=images(FILES[0]), data={"classes": ["red", "a dog"]})
    assert refused.status_code == 422 and "knows no others" in refused.json()["detail"]
    assert client.get("/api/model").json()["explains"] is False
    explained = client.post("/api/explain", files={"image": FILES[0]})
    assert explained.status_code == 422 and "choose prompts that all classes share" in explained.json()["detail"]


def test_class_lists_are_remembered_and_forgotten() -> None:
    model = small_model()
    classifier = Classifier(model, class_lists=2)
    square = torch.zeros(3, 16, 16, dtype=torch.uint8)
    lists = [ClassNames(("red", other)) for other in ("a dog", "blue", "green")]
    for asked, computed in ((0, 1), (1, 2), (0, 2), (2, 3), (0, 3), (1, 4)):
        (answer,) = classifier.answers([Question(square, lists[asked])])
        assert isinstance(answer, torch.Tensor) and classifier.computed == computed
    assert set(model.towers._texts) == {model.classes, lists[0], lists[1]}


def test_an_explanation_is_a_picture(server: httpx.Client) -> None:
    pictures = []
    for names in ([], ["red", "a dog"], ["a dog"]):
        answer = server.post("/api/explain", files={"image": FILES[0]}, data={"classes": names})
        assert answer.status_code == 200 and answer.headers["content-type"] == "image/png"
        pictures.append(np.array(Image.open(BytesIO(answer.content)).convert("RGB")))
        assert pictures[-1].std() > 10
    assert not np.array_equal(pictures[1], pictures[2])
    three = server.post("/api/explain", files={"image": FILES[0]}, data={"classes": ["a", "b", "c"]})
    assert three.status_code == 422 and "give one or two" in three.json()["detail"]


def test_what_is_served_is_said(server: httpx.Client) -> None:
    assert server.get("/healthz").json() == {"status": "ok"}
    about = server.get("/api/model").json()
    assert about["method"] == "bmip" and about["backbone"] == "tiny" and about["classes"] == list(COLOURS)
    assert about["trained_on"] is None and about["shots"] is None and about["explains"] is True
    assert about["limits"]["images"] == 16
    (example,) = about["examples"]
    picture = server.get(example["url"])
    assert picture.content == png("red") and picture.headers["content-type"] == "image/png"
    assert server.get("/api/examples/../model").status_code in (200, 404)
    assert server.get("/api/examples/absent.png").status_code == 404


def test_requests_that_come_together_go_through_the_model_together(serve: Serve) -> None:
    client = serve(small_model())

    def ask(number: int) -> list[dict[str, float]]:
        return shares(client.post("/api/predict", files=images(png("red", seed=number))))

    alone = [ask(number) for number in range(24)]
    before = counted(client)
    with ThreadPoolExecutor(12) as clients:
        together = list(clients.map(ask, range(24)))
    pictures, batches = (after - then for after, then in zip(counted(client), before, strict=True))
    assert pictures == 24 and batches < 24
    for one, other in zip(alone, together, strict=True):
        assert one[0] == pytest.approx(other[0], abs=1e-5)


def counted(client: httpx.Client) -> tuple[float, float]:
    """Pictures and batches until now, as /metrics tells them."""
    told = dict(line.rsplit(" ", 1) for line in client.get("/metrics").text.splitlines() if line[0] != "#")
    return float(told["bmip_batch_pictures_sum"]), float(told["bmip_batch_pictures_count"])


def test_metrics_count_paths_by_name_and_others_together(serve: Serve) -> None:
    client = serve(small_model())
    client.post("/api/predict", files=images(FILES[0]))
    client.post("/api/predict", files=images(b"no picture"))
    client.get("/secret/1")
    client.get("/secret/2")
    told = client.get("/metrics").text
    assert 'bmip_requests_total{path="/api/predict",status="200"} 1.0' in told
    assert 'bmip_requests_total{path="/api/predict",status="415"} 1.0' in told
    assert 'bmip_requests_total{path="other",status="404"} 2.0' in told
    assert "secret" not in told and "process_resident_memory_bytes" in told
