"""Drives a gateway's unified API with Google's SDK for Python, towards providers of several formats.

    python tests/sdk/v1_gemini.py http://127.0.0.1:3000 KEY openai/demo claude/demo gemini/demo onemin/demo
"""

import json

from google import genai
from google.genai import errors, types
from pydantic import BaseModel

from facts import (
    GATEWAY, KEY, PNG, PNG_SEEN, QUESTION, SILENCE, SOON, TIME, TWO_TOOLS, WEATHER, Clock, prove, raises, same,
    that,
)


def client(version=None, key=KEY):
    return genai.Client(
        api_key=key,
        http_options=types.HttpOptions(base_url=GATEWAY, api_version=version, timeout=60_000),
    )


ai = client()

CITY = types.Schema(
    type=types.Type.OBJECT, properties={"city": types.Schema(type=types.Type.STRING)}, required=["city"]
)
TOOLS = [
    types.Tool(
        function_declarations=[
            types.FunctionDeclaration(name="get_weather", description="The weather.", parameters=CITY),
            types.FunctionDeclaration(name="get_time", description="The time.", parameters=CITY),
        ]
    )
]
CALLS = [("get_weather", "Lisbon"), ("get_time", "Oslo")]


class Tram(BaseModel):
    """The shape of a structured answer."""

    line: int
    stops: list[str]


def generate(model, contents=QUESTION, **more):
    return ai.models.generate_content(model=model, contents=contents, config=config(more))


def stream(model, contents=QUESTION, **more):
    return ai.models.generate_content_stream(model=model, contents=contents, config=config(more))


def config(more):
    """The SDK must not call the tools by itself."""
    by_hand = types.AutomaticFunctionCallingConfig(disable=True)
    return types.GenerateContentConfig(automatic_function_calling=by_hand, **more)


# ---- generate ----


def content_is_generated(model):
    answer = generate(model)
    that(QUESTION in answer.text, f"the answer does not quote the question: {answer.text!r}")
    same(answer.candidates[0].finish_reason, types.FinishReason.STOP, "finish reason")
    same(answer.candidates[0].content.role, "model", "role")


def the_beta_version_is_answered_too(model):
    """The SDK asks for v1 since its version 3; before, and where users say so, for v1beta."""
    beta = client("v1beta")
    that(beta.models.generate_content(model=model, contents=QUESTION).text, "the answer is empty")
    pieces = beta.models.generate_content_stream(model=model, contents=QUESTION)
    that("".join(piece.text or "" for piece in pieces), "the stream is empty")


def a_stream_says_what_the_answer_would(model):
    pieces = list(stream(model))
    same(text_of(pieces), generate(model).text, "text")
    same(finish_of(pieces), types.FinishReason.STOP, "finish reason")
    that(len([piece for piece in pieces if piece.text]) >= 2, "the text came in one piece")


def content_says_its_usage(model):
    for answer in [generate(model), list(stream(model))[-1]]:
        usage = answer.usage_metadata
        that(usage.prompt_token_count > 0 and usage.candidates_token_count > 0, f"tokens {usage}")
        that(usage.total_token_count >= usage.prompt_token_count + usage.candidates_token_count, f"sum {usage}")


def an_instruction_and_earlier_turns_are_taken(model):
    talk = [types.UserContent("Hello"), types.ModelContent("Hello."), types.UserContent(QUESTION)]
    that(QUESTION in generate(model, talk, system_instruction="You are terse.").text, "the last is not answered")


def a_silent_provider_is_waited_for(model):
    clock = Clock()
    pieces = list(stream(f"{model}-slow"))
    that(text_of(pieces), "the streamed text is empty")
    same(finish_of(pieces), types.FinishReason.STOP, "finish reason")
    that(clock.seconds() >= SILENCE, "the demo was not silent at all")


def a_failure_after_a_silence_is_an_error(model):
    error = raises(errors.APIError, lambda: list(stream(f"{model}-slow-error-503")))
    that("503" in f"{error.code} {error.message}", f"the error does not say what the provider said: {error!r}")


def a_stream_that_is_left_early_leaves_the_client_usable(model):
    pieces = stream(f"{model}-slow")
    next(iter(pieces))
    pieces.close()
    content_is_generated(model)


def errors_keep_their_class_and_status(model):
    for code, kind, status in [
        (400, errors.ClientError, "INVALID_ARGUMENT"),
        (401, errors.ClientError, "UNAUTHENTICATED"),
        (403, errors.ClientError, "PERMISSION_DENIED"),
        (404, errors.ClientError, "NOT_FOUND"),
        (429, errors.ClientError, "RESOURCE_EXHAUSTED"),
        (500, errors.ServerError, "INTERNAL"),
        (503, errors.ServerError, "UNAVAILABLE"),
    ]:
        for ask in [generate, lambda model: list(stream(model))]:
            error = raises(kind, lambda: ask(f"{model}-error-{code}"))
            same((error.code, error.status), (code, status), "code and status")
            that(error.message, f"a {code} has no message")


def a_stream_that_breaks_off_is_an_error(model):
    for how in ["cut", "ended", "overloaded"]:
        error = raises(errors.APIError, lambda: list(stream(f"{model}-{how}")))
        that(error.message, f"{how}: the error has no message")


def a_stranger_is_not_admitted(model):
    stranger = client(key="AIza-somebody-else-s-key")
    error = raises(errors.ClientError, lambda: stranger.models.generate_content(model=model, contents=QUESTION))
    same((error.code, error.status), (401, "UNAUTHENTICATED"), "code and status")


# ---- what only some can ----


def two_tools_are_called_and_their_results_reach_the_answer(model):
    asked = types.UserContent(TWO_TOOLS)
    whole = generate(model, [asked], tools=TOOLS)
    pieces = list(stream(model, [asked], tools=TOOLS))
    for parts in [whole.candidates[0].content.parts, parts_of(pieces)]:
        calls = [part.function_call for part in parts if part.function_call]
        same([(call.name, call.args["city"]) for call in calls], CALLS, "calls")
        talk = [asked, types.Content(role="model", parts=parts), results_of(calls)]
        text = generate(model, talk, tools=TOOLS).text
        that(WEATHER in text and TIME in text, f"the answer does not quote both tools: {text!r}")


def a_tool_can_be_demanded_or_forbidden(model):
    for mode, names, expected in [
        ("ANY", None, ["get_weather"]),
        ("ANY", ["get_time"], ["get_time"]),
        ("NONE", None, []),
    ]:
        said = TWO_TOOLS if mode == "NONE" else QUESTION
        calling = types.FunctionCallingConfig(mode=mode, allowed_function_names=names)
        answer = generate(
            model, said, tools=TOOLS, tool_config=types.ToolConfig(function_calling_config=calling)
        )
        same([call.name for call in answer.function_calls or []], expected, f"tools called by {mode} {names}")


def results_of(calls):
    results = {"get_weather": WEATHER, "get_time": TIME}
    parts = [
        types.Part(
            function_response=types.FunctionResponse(
                id=call.id, name=call.name, response={"result": results[call.name]}
            )
        )
        for call in calls
    ]
    return types.UserContent(parts)


def parts_of(pieces):
    contents = [piece.candidates[0].content for piece in pieces if piece.candidates]
    return [part for content in contents if content for part in content.parts or []]


def a_picture_arrives_as_it_was_sent(model):
    text = generate(model, ["What is this?", types.Part.from_bytes(data=PNG, mime_type="image/png")]).text
    that(PNG_SEEN in text, f"expected {PNG_SEEN!r} in {text!r}")


def a_schema_shapes_the_answer(model):
    shaped = {"response_mime_type": "application/json", "response_schema": Tram}
    same(type(generate(model, **shaped).parsed), Tram, "type of the answer")
    Tram.model_validate_json(text_of(stream(model, **shaped)))
    json_schema = {"response_mime_type": "application/json", "response_json_schema": Tram.model_json_schema()}
    same(sorted(json.loads(generate(model, **json_schema).text)), ["line", "stops"], "names of the answer")


def a_budget_has_the_model_think(model):
    thinking = types.ThinkingConfig(thinking_budget=2000, include_thoughts=True)
    answer = generate(model, thinking_config=thinking, max_output_tokens=8000)
    pieces = list(stream(model, thinking_config=thinking, max_output_tokens=8000))
    that(answer.text, "the answer is empty")
    same(text_of(pieces), answer.text, "text after the thoughts")
    if model.startswith("openai/"):
        return  # OpenAI's own chat API does not tell its thoughts.
    thought = "".join(part.text for part in answer.candidates[0].content.parts if part.thought)
    that(thought, "the answer tells no thought")
    streamed = "".join(part.text or "" for part in parts_of(pieces) if part.thought)
    same(streamed, thought, "streamed thoughts")


def thoughts_lead_to_tools_and_back(model):
    """What a client that echoes the whole content sends back is taken, thoughts and signatures included."""
    more = {
        "tools": TOOLS, "max_output_tokens": 8000,
        "thinking_config": types.ThinkingConfig(thinking_budget=2000, include_thoughts=True),
    }
    asked = types.UserContent(TWO_TOOLS)
    for content in [
        generate(model, [asked], **more).candidates[0].content,
        types.Content(role="model", parts=parts_of(stream(model, [asked], **more))),
    ]:
        calls = [part.function_call for part in content.parts if part.function_call]
        same([(call.name, call.args["city"]) for call in calls], CALLS, "calls")
        text = generate(model, [asked, content, results_of(calls)], **more).text
        that(WEATHER in text and TIME in text, f"the answer does not quote both tools: {text!r}")


def limits_and_stops_are_told(model):
    short = generate(model, max_output_tokens=5)
    same(short.candidates[0].finish_reason, types.FinishReason.MAX_TOKENS, "finish reason at the limit")
    same(finish_of(stream(f"{model}-length")), types.FinishReason.MAX_TOKENS, "that of a stream")
    stopped = generate(model, stop_sequences=["provider", "never said"])
    same(stopped.text.rstrip(), "This is Twinlane's demo", "text before the stop")
    same(stopped.candidates[0].finish_reason, types.FinishReason.STOP, "finish reason at a stop")


def a_refusal_is_told(model):
    refused = generate(f"{model}-refusal").candidates[0].finish_reason
    same(refused, types.FinishReason.SAFETY, "finish reason")
    same(finish_of(stream(f"{model}-refusal")), types.FinishReason.SAFETY, "that of a stream")


def tokens_are_counted(model):
    counted = ai.models.count_tokens(model=model, contents=QUESTION)
    that(counted.total_tokens > 0, "no tokens were counted")


def models_are_listed(model):
    that(list(ai.models.list()), "no model is listed")


def text_of(pieces):
    return "".join(piece.text or "" for piece in pieces)


def finish_of(pieces):
    candidates = [candidate for piece in pieces for candidate in piece.candidates or []]
    return next((found.finish_reason for found in candidates if found.finish_reason), None)


PLAIN = [
    content_is_generated,
    the_beta_version_is_answered_too,
    a_stream_says_what_the_answer_would,
    an_instruction_and_earlier_turns_are_taken,
    a_silent_provider_is_waited_for,
    a_stream_that_is_left_early_leaves_the_client_usable,
    errors_keep_their_class_and_status,
    a_stranger_is_not_admitted,
]

FURTHER = [
    content_says_its_usage,
    a_failure_after_a_silence_is_an_error,
    a_stream_that_breaks_off_is_an_error,
    two_tools_are_called_and_their_results_reach_the_answer,
    a_tool_can_be_demanded_or_forbidden,
    a_picture_arrives_as_it_was_sent,
    a_schema_shapes_the_answer,
    a_budget_has_the_model_think,
    thoughts_lead_to_tools_and_back,
    limits_and_stops_are_told,
    a_refusal_is_told,
    tokens_are_counted,
    models_are_listed,
]

prove(f"google-genai {genai.__version__} for Python", PLAIN, FURTHER)
