"""Drives a gateway's unified API with Anthropic's SDK for Python, towards providers of several formats.

    python tests/sdk/v1_anthropic.py http://127.0.0.1:3000 KEY openai/demo claude/demo gemini/demo onemin/demo
"""

import json

import anthropic

from facts import (
    CITY, GATEWAY, KEY, PNG, PNG_SEEN, QUESTION, SILENCE, SOON, TIME, TWO_TOOLS, WEATHER, Clock, base64,
    prove, raises, same, that,
)

ai = anthropic.Anthropic(base_url=GATEWAY, api_key=KEY, max_retries=0, timeout=60)

SAID = [{"role": "user", "content": QUESTION}]
ASKED_FOR_TOOLS = [{"role": "user", "content": TWO_TOOLS}]
TOOLS = [
    {"name": "get_weather", "description": "The weather.", "input_schema": CITY},
    {"name": "get_time", "description": "The time.", "input_schema": CITY},
]
CALLS = [("get_weather", "Lisbon"), ("get_time", "Oslo")]
SCHEMA = {
    "type": "object",
    "properties": {"line": {"type": "integer"}, "stops": {"type": "array", "items": {"type": "string"}}},
    "required": ["line", "stops"],
    "additionalProperties": False,
}


def message(model, messages=SAID, **more):
    return ai.messages.create(**{"model": model, "max_tokens": 1000, "messages": messages, **more})


def stream(model, messages=SAID, **more):
    return ai.messages.stream(**{"model": model, "max_tokens": 1000, "messages": messages, **more})


# ---- messages ----


def a_message_is_answered(model):
    answer = message(model)
    same((answer.type, answer.role, answer.stop_reason), ("message", "assistant", "end_turn"), "answer")
    that(QUESTION in text_of(answer), f"the answer does not quote the question: {text_of(answer)!r}")
    that(answer.id and answer.model, "the answer has no id or model")
    that(answer._request_id, "the answer has no request id")


def a_message_says_its_usage(model):
    usage = message(model).usage
    that(usage.input_tokens > 0 and usage.output_tokens > 0, f"tokens {usage}")
    with stream(model) as events:
        usage = events.get_final_message().usage
    that(usage.input_tokens > 0 and usage.output_tokens > 0, f"tokens of a stream {usage}")


def a_stream_says_what_the_answer_would(model):
    events = list(message(model, stream=True))
    kinds = [event.type for event in events]
    same(kinds[:2], ["message_start", "content_block_start"], "first events")
    same(kinds[-3:], ["content_block_stop", "message_delta", "message_stop"], "last events")
    same(set(kinds[2:-3]), {"content_block_delta"}, "events between")
    with stream(model) as pieces:
        text = "".join(pieces.text_stream)
        final = pieces.get_final_message()
    same(text, text_of(message(model)), "text")
    same((text_of(final), final.stop_reason), (text, "end_turn"), "message put together")


def a_system_prompt_and_earlier_turns_are_taken(model):
    talk = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hello."}, *SAID]
    system = [{"type": "text", "text": "You are terse.", "cache_control": {"type": "ephemeral"}}]
    that(QUESTION in text_of(message(model, talk, system=system)), "the last message is not answered")


def a_silent_provider_is_waited_for(model):
    clock = Clock()
    events = message(f"{model}-slow", stream=True)
    that(clock.seconds() < SOON, f"the head took {clock.seconds():.1f} s: nothing kept the client alive")
    same([event.type for event in events][-1], "message_stop", "last event")
    that(clock.seconds() >= SILENCE, "the demo was not silent at all")


def a_failure_after_a_silence_is_an_error(model):
    error = raises(anthropic.APIStatusError, lambda: list(message(f"{model}-slow-error-503", stream=True)))
    that("503" in str(error.body), f"the error does not say what the provider said: {error.body!r}")


def a_stream_that_is_left_early_leaves_the_client_usable(model):
    with stream(f"{model}-slow") as events:
        next(iter(events))
    a_message_is_answered(model)


def errors_keep_their_class_and_type(model):
    for status, kind, error_type in [
        (400, anthropic.BadRequestError, "invalid_request_error"),
        (401, anthropic.AuthenticationError, "authentication_error"),
        (403, anthropic.PermissionDeniedError, "permission_error"),
        (404, anthropic.NotFoundError, "not_found_error"),
        (429, anthropic.RateLimitError, "rate_limit_error"),
        (500, anthropic.InternalServerError, "api_error"),
        (503, anthropic.InternalServerError, None),
    ]:
        for streams in [False, True]:
            error = raises(kind, lambda: message(f"{model}-error-{status}", stream=streams))
            same((error.status_code, error.body["type"]), (status, "error"), "status and type")
            if error_type:
                same(error.body["error"]["type"], error_type, f"type of a {status}")
            that(error.body["error"]["message"], f"a {status} has no message")
            that(error.request_id, f"a {status} has no request id")


def a_stream_that_breaks_off_is_an_error(model):
    for how in ["cut", "ended", "overloaded"]:
        events = message(f"{model}-{how}", stream=True)
        error = raises(anthropic.APIStatusError, lambda: list(events))
        that(error.body["error"]["message"], f"{how}: the error has no message")


def a_stranger_is_not_admitted(model):
    stranger = anthropic.Anthropic(base_url=GATEWAY, api_key="sk-ant-somebody-else-s", max_retries=0)
    error = raises(
        anthropic.AuthenticationError,
        lambda: stranger.messages.create(model=model, max_tokens=10, messages=SAID),
    )
    same(error.body["error"]["type"], "authentication_error", "type")


# ---- what only some can ----


def two_tools_are_called_and_their_results_reach_the_answer(model):
    answer = message(model, ASKED_FOR_TOOLS, tools=TOOLS)
    with stream(model, ASKED_FOR_TOOLS, tools=TOOLS) as events:
        final = events.get_final_message()
    for said in [answer, final]:
        same(said.stop_reason, "tool_use", "stop reason")
        same(calls_of(said), CALLS, "calls")
        that(len({block.id for block in tools_of(said)}) == 2, "two calls share an id")
        talk = [*ASKED_FOR_TOOLS, {"role": "assistant", "content": said.content}, results_of(said)]
        reply = message(model, talk, tools=TOOLS)
        quoted(text_of(reply))
        same(reply.stop_reason, "end_turn", "stop reason after the tools")


def a_tool_can_be_demanded_or_forbidden(model):
    for choice, expected in [
        ({"type": "any"}, ["get_weather"]),
        ({"type": "tool", "name": "get_time"}, ["get_time"]),
        ({"type": "none"}, []),
    ]:
        said = ASKED_FOR_TOOLS if choice["type"] == "none" else SAID
        called = tools_of(message(model, said, tools=TOOLS, tool_choice=choice))
        same([block.name for block in called], expected, f"tools called by {choice}")


def tools_of(answer):
    return [block for block in answer.content if block.type == "tool_use"]


def calls_of(answer):
    return [(block.name, block.input["city"]) for block in tools_of(answer)]


def results_of(answer):
    results = {"get_weather": WEATHER, "get_time": [{"type": "text", "text": TIME}]}
    blocks = [
        {"type": "tool_result", "tool_use_id": block.id, "content": results[block.name]}
        for block in tools_of(answer)
    ]
    return {"role": "user", "content": blocks}


def quoted(text):
    that(WEATHER in text and TIME in text, f"the answer does not quote both tools: {text!r}")


def a_picture_arrives_as_it_was_sent(model):
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(PNG).decode()}
    parts = [{"type": "image", "source": source}, {"type": "text", "text": "What is this?"}]
    text = text_of(message(model, [{"role": "user", "content": parts}]))
    that(PNG_SEEN in text, f"expected {PNG_SEEN!r} in {text!r}")


def a_schema_shapes_the_answer(model):
    shaped = {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}
    found = json.loads(text_of(message(model, **shaped)))
    same((type(found["line"]), type(found["stops"])), (int, list), "types of the answer")
    with stream(model, **shaped) as events:
        same(sorted(json.loads(text_of(events.get_final_message()))), ["line", "stops"], "names of the answer")


def a_budget_has_the_model_think(model):
    thinking = {"max_tokens": 8000, "thinking": {"type": "enabled", "budget_tokens": 2000}}
    answer = message(model, **thinking)
    with stream(model, **thinking) as events:
        final = events.get_final_message()
    same(text_of(final), text_of(answer), "text after the thoughts")
    that(text_of(answer), "the answer is empty")
    if model.startswith("openai/"):
        return  # OpenAI's own chat API does not tell its thoughts.
    same([block.type for block in answer.content], ["thinking", "text"], "blocks")
    same([block.type for block in final.content], ["thinking", "text"], "streamed blocks")
    same(final.content[0].thinking, answer.content[0].thinking, "streamed thoughts")


def thoughts_lead_to_tools_and_back(model):
    """What a client that echoes the whole message sends back is taken, thoughts and signatures included."""
    more = {"tools": TOOLS, "max_tokens": 8000, "thinking": {"type": "enabled", "budget_tokens": 2000}}
    with stream(model, ASKED_FOR_TOOLS, **more) as events:
        final = events.get_final_message()
    for said in [message(model, ASKED_FOR_TOOLS, **more), final]:
        same(calls_of(said), CALLS, "calls")
        talk = [*ASKED_FOR_TOOLS, {"role": "assistant", "content": said.content}, results_of(said)]
        quoted(text_of(message(model, talk, **more)))


def limits_and_stops_are_told(model):
    same(message(model, max_tokens=5).stop_reason, "max_tokens", "stop reason at the limit")
    with stream(f"{model}-length") as events:
        same(events.get_final_message().stop_reason, "max_tokens", "stop reason of a stream at its limit")
    stopped = message(model, stop_sequences=["provider", "never said"])
    same(text_of(stopped).rstrip(), "This is Twinlane's demo", "text before the stop")
    same(stopped.stop_reason, "stop_sequence" if model.startswith("claude/") else "end_turn", "stop reason")


def a_refusal_is_told(model):
    same(message(f"{model}-refusal").stop_reason, "refusal", "stop reason")
    with stream(f"{model}-refusal") as events:
        same(events.get_final_message().stop_reason, "refusal", "stop reason of a stream")


def tokens_are_counted(model):
    counted = ai.messages.count_tokens(model=model, messages=SAID, tools=TOOLS)
    that(counted.input_tokens > 10, f"{counted.input_tokens} tokens are too few")


def models_are_listed_in_anthropics_own_shape(model):
    models = list(ai.models.list())
    same({listed.type for listed in models}, {"model"}, "types")
    that(all(listed.display_name for listed in models), "a model has no display name")


def text_of(answer):
    return "".join(block.text for block in answer.content if block.type == "text")


PLAIN = [
    a_message_is_answered,
    a_stream_says_what_the_answer_would,
    a_system_prompt_and_earlier_turns_are_taken,
    a_silent_provider_is_waited_for,
    a_stream_that_is_left_early_leaves_the_client_usable,
    errors_keep_their_class_and_type,
    a_stranger_is_not_admitted,
]

FURTHER = [
    a_message_says_its_usage,
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
    models_are_listed_in_anthropics_own_shape,
]

prove(f"anthropic {anthropic.__version__} for Python", PLAIN, FURTHER)
