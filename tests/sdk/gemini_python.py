"""Drives a running gateway with Google's SDK for Python, the way a program does.

    python tests/sdk/gemini_python.py http://127.0.0.1:3000

Every function named in FACTS is one fact, proved against the demo provider behind the gateway. The
first one that does not hold ends the run with what was expected and what was found.
"""

import json
import os
import sys
import time

from google import genai
from google.genai import errors, types

GATEWAY = sys.argv[1].rstrip("/")
SERVICE = GATEWAY + os.environ.get("TWINLANE_PREFIX", "/gateway/demo")
MODEL = "demo"
# How long a provider has to be silent before the gateway speaks in its place, in milliseconds.
SILENCE = os.environ.get("TWINLANE_SILENCE_MS", "11000")

QUESTION = "Say hello to Žižkov 🚋"
TWO_CITIES = "Compare the weather in Oslo and Lisbon."
WEATHER_TOOL = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(
            name="get_weather",
            description="The weather in a city.",
            parameters=types.Schema(
                type=types.Type.OBJECT,
                properties={"city": types.Schema(type=types.Type.STRING)},
                required=["city"],
            ),
        )
    ]
)


def client(version=None):
    return genai.Client(
        api_key=os.environ.get("TWINLANE_TOKEN", "sk-demo"),
        http_options=types.HttpOptions(base_url=SERVICE, api_version=version, timeout=60_000),
    )


ai = client()


def asked(headers=None, **more):
    return types.GenerateContentConfig(http_options=types.HttpOptions(headers=headers or {}), **more)


def generate(headers=None, contents=QUESTION, **more):
    return ai.models.generate_content(model=MODEL, contents=contents, config=asked(headers, **more))


def stream(headers=None, contents=QUESTION, **more):
    return ai.models.generate_content_stream(
        model=MODEL, contents=contents, config=asked(headers, **more)
    )


# ---- generate ----


def content_is_generated():
    answer = generate()
    that(answer.text, "the answer is empty")
    same(answer.candidates[0].finish_reason, types.FinishReason.STOP, "finish reason")
    same(answer.candidates[0].content.role, "model", "role")
    that(answer.usage_metadata.total_token_count > 0, "the answer counts no tokens")


def the_beta_version_is_answered_too():
    """The SDK asks for v1 since its version 3; before, and where users say so, for v1beta."""
    beta = client("v1beta")
    that(beta.models.generate_content(model=MODEL, contents=QUESTION).text, "the answer is empty")


def a_stream_arrives_piece_by_piece():
    texts, arrivals, last = [], [], None
    for last in stream({"x-demo-chunks": "8", "x-demo-chunk-delay-ms": "60"}):
        arrivals.append(time.monotonic())
        texts.append(last.text or "")
    that(len([text for text in texts if text]) >= 2, f"one piece only: {texts}")
    same(last.candidates[0].finish_reason, types.FinishReason.STOP, "finish reason")
    that(last.usage_metadata.total_token_count > 0, "the last piece counts no tokens")
    spread_out(arrivals, at_least=0.3)


def a_silent_provider_is_waited_for():
    began = time.monotonic()
    text = "".join(piece.text or "" for piece in stream({"x-demo-delay-ms": SILENCE}))
    that(text, "the answer is empty")
    that(time.monotonic() - began >= int(SILENCE) / 1000, "the demo was not silent at all")


def json_mode_answers_with_json():
    answer = generate(response_mime_type="application/json")
    same(type(json.loads(answer.text)), dict, "type of the answer")


def tokens_are_counted():
    counted = ai.models.count_tokens(model=MODEL, contents=QUESTION)
    that(counted.total_tokens > 0, "no tokens were counted")


def embeddings_have_one_vector_per_input():
    answer = ai.models.embed_content(model=MODEL, contents=["one", "two", "tři"])
    same(len(answer.embeddings), 3, "vectors")
    lengths = {len(embedding.values) for embedding in answer.embeddings}
    that(len(lengths) == 1 and min(lengths) > 0, f"vectors of lengths {lengths}")


def models_are_listed():
    models = list(ai.models.list())
    that(models, "no model is listed")
    that(models[0].name.startswith("models/"), f"name {models[0].name!r}")


# ---- tools ----


def a_tool_is_called_and_its_result_reaches_the_answer():
    question = types.UserContent("What is the weather in Oslo?")
    answer = generate(contents=[question], tools=[WEATHER_TOOL])
    same([call.name for call in answer.function_calls], ["get_weather"], "tools called")
    same(cities(answer.function_calls), ["Oslo"], "cities asked about")
    result = types.Part.from_function_response(
        name="get_weather", response={"result": "Sněží, −7 °C ❄"}
    )
    talk = [question, answer.candidates[0].content, types.UserContent([result])]
    text = generate(contents=talk, tools=[WEATHER_TOOL]).text
    that("Sněží, −7 °C ❄" in text, f"the answer does not quote the tool: {text!r}")


def two_tools_are_called_in_parallel():
    answer = generate(contents=TWO_CITIES, tools=[WEATHER_TOOL])
    same(cities(answer.function_calls), ["Lisbon", "Oslo"], "cities asked about")


def streamed_tool_calls_arrive():
    calls = []
    for piece in stream(contents=TWO_CITIES, tools=[WEATHER_TOOL]):
        calls += piece.function_calls or []
    same(cities(calls), ["Lisbon", "Oslo"], "cities asked about")


def cities(calls):
    return sorted(call.args["city"] for call in calls)


# ---- errors ----


def errors_keep_their_class_status_and_message():
    for code, kind, status in [
        (401, errors.ClientError, "UNAUTHENTICATED"),
        (404, errors.ClientError, "NOT_FOUND"),
        (429, errors.ClientError, "RESOURCE_EXHAUSTED"),
        (500, errors.ServerError, "INTERNAL"),
        (503, errors.ServerError, "UNAVAILABLE"),
    ]:
        error = raises(kind, lambda: generate({"x-demo-status": str(code)}))
        same(error.code, code, "code")
        same(error.status, status, f"status of a {code}")
        that(error.message, f"a {code} has no message")


def a_stream_that_is_cut_is_an_error():
    for cut in ["body", "body-reset", "clean"]:
        how = {"x-demo-cut": cut, "x-demo-cut-after": "2", "x-demo-chunks": "8"}
        error = raises(errors.APIError, lambda: list(stream(how)))
        that(error.message, f"cut '{cut}': the error has no message")


# ---- small words ----


def that(holds, otherwise):
    if not holds:
        raise AssertionError(otherwise)


def same(found, expected, what):
    that(found == expected, f"{what}: expected {expected!r}, found {found!r}")


def raises(kind, call):
    try:
        found = call()
    except kind as error:
        return error
    except Exception as error:
        raise AssertionError(f"expected {kind.__name__}, found {error!r}") from error
    raise AssertionError(f"expected {kind.__name__}, found the answer {found!r}")


def spread_out(arrivals, at_least):
    took = arrivals[-1] - arrivals[0]
    that(took >= at_least, f"{len(arrivals)} pieces came within {took:.3f} s: they were held back")


FACTS = [
    content_is_generated,
    the_beta_version_is_answered_too,
    a_stream_arrives_piece_by_piece,
    a_silent_provider_is_waited_for,
    json_mode_answers_with_json,
    tokens_are_counted,
    embeddings_have_one_vector_per_input,
    models_are_listed,
    a_tool_is_called_and_its_result_reaches_the_answer,
    two_tools_are_called_in_parallel,
    streamed_tool_calls_arrive,
    errors_keep_their_class_status_and_message,
    a_stream_that_is_cut_is_an_error,
]


def main():
    for fact in FACTS:
        name = fact.__name__.replace("_", " ")
        try:
            fact()
        except Exception as error:
            sys.exit(f"FALSE {name}\n{type(error).__name__}: {error}")
        print(f"true  {name}", flush=True)
    print(f"google-genai {genai.__version__} for Python: {len(FACTS)} facts")


main()
