"""Drives a running gateway with Anthropic's SDK for Python, the way a program does.

    python tests/sdk/anthropic_python.py http://127.0.0.1:3000

Every function named in FACTS is one fact, proved against the demo provider behind the gateway. The
first one that does not hold ends the run with what was expected and what was found.
"""

import os
import sys
import time

import anthropic

GATEWAY = sys.argv[1].rstrip("/")
SERVICE = GATEWAY + os.environ.get("TWINLANE_PREFIX", "/gateway/demo")
# How long a provider has to be silent before the gateway speaks in its place, in milliseconds.
SILENCE = os.environ.get("TWINLANE_SILENCE_MS", "11000")
ASKED = {"model": "demo", "max_tokens": 256}

QUESTION = [{"role": "user", "content": "Say hello to Žižkov 🚋"}]
TWO_CITIES = [{"role": "user", "content": "Compare the weather in Oslo and Lisbon."}]
WEATHER_TOOL = {
    "name": "get_weather",
    "description": "The weather in a city.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}


class Answers:
    """Every answer the SDK was given, retried ones included."""

    def __init__(self):
        self.seen = []

    def note(self, response):
        self.seen.append(response)


def client(max_retries=0, answers=None):
    hooks = {"response": [answers.note]} if answers else {}
    return anthropic.Anthropic(
        base_url=SERVICE,
        api_key=os.environ.get("TWINLANE_TOKEN", "sk-demo"),
        max_retries=max_retries,
        timeout=60,
        http_client=anthropic.DefaultHttpxClient(event_hooks=hooks),
    )


ai = client()


# ---- messages ----


def a_message_is_answered():
    message = ai.messages.create(**ASKED, messages=QUESTION)
    same(message.type, "message", "type")
    same(message.role, "assistant", "role")
    same(message.stop_reason, "end_turn", "stop reason")
    that(text_of(message), "the answer is empty")
    that(message._request_id, "the answer has no request id")
    that(message.usage.output_tokens > 0, "the answer counts no tokens")


def a_stream_arrives_event_by_event():
    kinds, arrivals = [], []
    slowly = {"x-demo-chunks": "8", "x-demo-chunk-delay-ms": "60"}
    for event in ai.messages.create(**ASKED, messages=QUESTION, stream=True, extra_headers=slowly):
        kinds.append(event.type)
        arrivals.append(time.monotonic())
    same(kinds[:2], ["message_start", "content_block_start"], "first events")
    same(kinds[-3:], ["content_block_stop", "message_delta", "message_stop"], "last events")
    same(set(kinds[2:-3]), {"content_block_delta"}, "events between")
    spread_out(arrivals, at_least=0.3)


def a_streamed_message_adds_up():
    with ai.messages.stream(**ASKED, messages=QUESTION) as stream:
        text = "".join(stream.text_stream)
        message = stream.get_final_message()
    that(text, "the streamed text is empty")
    same(text_of(message), text, "pieces put together")
    same(message.stop_reason, "end_turn", "stop reason")
    that(message.usage.output_tokens > 0, "the answer counts no tokens")


def a_stream_that_is_left_early_leaves_the_client_usable():
    slowly = {"x-demo-chunks": "100", "x-demo-chunk-delay-ms": "50"}
    with ai.messages.stream(**ASKED, messages=QUESTION, extra_headers=slowly) as stream:
        next(iter(stream))
    a_message_is_answered()


def a_silent_provider_is_waited_for():
    began = time.monotonic()
    silent = {"x-demo-delay-ms": SILENCE}
    with ai.messages.stream(**ASKED, messages=QUESTION, extra_headers=silent) as stream:
        message = stream.get_final_message()
    that(text_of(message), "the answer is empty")
    that(time.monotonic() - began >= int(SILENCE) / 1000, "the demo was not silent at all")


def tokens_are_counted():
    counted = ai.messages.count_tokens(model=ASKED["model"], messages=QUESTION)
    that(counted.input_tokens > 0, "no tokens were counted")


def models_are_listed_in_anthropics_own_shape():
    models = list(ai.models.list())
    that(models, "no model is listed")
    same({model.type for model in models}, {"model"}, "types")
    that(models[0].display_name, "the model has no display name")


# ---- tools ----


def a_tool_is_called_and_its_result_reaches_the_answer():
    messages = [{"role": "user", "content": "What is the weather in Oslo?"}]
    message = ai.messages.create(**ASKED, messages=messages, tools=[WEATHER_TOOL])
    same(message.stop_reason, "tool_use", "stop reason")
    calls = tool_calls(message)
    same([call.name for call in calls], ["get_weather"], "tools called")
    same(cities(calls), ["Oslo"], "cities asked about")
    result = {"type": "tool_result", "tool_use_id": calls[0].id, "content": "Sněží, −7 °C ❄"}
    messages += [
        {"role": "assistant", "content": message.content},
        {"role": "user", "content": [result]},
    ]
    answer = ai.messages.create(**ASKED, messages=messages, tools=[WEATHER_TOOL])
    same(answer.stop_reason, "end_turn", "stop reason after the tool")
    text = text_of(answer)
    that("Sněží, −7 °C ❄" in text, f"the answer does not quote the tool: {text!r}")


def two_tools_are_called_in_parallel():
    message = ai.messages.create(**ASKED, messages=TWO_CITIES, tools=[WEATHER_TOOL])
    calls = tool_calls(message)
    same(cities(calls), ["Lisbon", "Oslo"], "cities asked about")
    that(calls[0].id != calls[1].id, "two calls share an id")


def streamed_tool_calls_add_up():
    with ai.messages.stream(**ASKED, messages=TWO_CITIES, tools=[WEATHER_TOOL]) as stream:
        message = stream.get_final_message()
    same(message.stop_reason, "tool_use", "stop reason")
    same(cities(tool_calls(message)), ["Lisbon", "Oslo"], "cities asked about")


def tool_calls(message):
    return [block for block in message.content if block.type == "tool_use"]


def cities(calls):
    return sorted(call.input["city"] for call in calls)


# ---- errors and retries ----


def errors_keep_their_class_type_and_id():
    for status, kind, error_type in [
        (401, anthropic.AuthenticationError, "authentication_error"),
        (404, anthropic.NotFoundError, "not_found_error"),
        (429, anthropic.RateLimitError, "rate_limit_error"),
        (500, anthropic.InternalServerError, "api_error"),
        (503, anthropic.InternalServerError, "api_error"),
        (529, anthropic.InternalServerError, "overloaded_error"),
    ]:
        error = raises(kind, lambda: message_with({"x-demo-status": str(status)}))
        same(error.status_code, status, "status")
        same(error.body["error"]["type"], error_type, f"type of a {status}")
        that(error.request_id, f"a {status} has no request id")


def an_always_failing_call_is_sent_three_times_in_all():
    answers = Answers()
    raises(anthropic.InternalServerError, lambda: message_with({"x-demo-status": "500"}, 2, answers))
    attempts = [int(answer.headers.get("x-attempts", 1)) for answer in answers.seen]
    same(attempts, [1, 1, 1], "attempts behind each of the SDK's three tries")


def retry_after_is_waited_out():
    answers = Answers()
    busy = {"x-demo-status": "429", "x-demo-retry-after": "1"}
    once = {"x-demo-times": "1", "x-demo-key": os.urandom(8).hex()}
    began = time.monotonic()
    message_with({**busy, **once}, 2, answers)
    same([answer.status_code for answer in answers.seen], [429, 200], "statuses")
    that(time.monotonic() - began >= 1, "the SDK did not wait the second it was asked for")


def a_stream_that_is_cut_is_an_error():
    for cut in ["body", "body-reset", "clean"]:
        how = {"x-demo-cut": cut, "x-demo-cut-after": "4", "x-demo-chunks": "8"}
        stream = ai.messages.create(**ASKED, messages=QUESTION, stream=True, extra_headers=how)
        error = raises(anthropic.APIStatusError, lambda: list(stream))
        that(error.type, f"cut '{cut}': the error has no type")


def message_with(headers, max_retries=0, answers=None):
    ai = client(max_retries, answers)
    return ai.messages.create(**ASKED, messages=QUESTION, extra_headers=headers)


# ---- small words ----


def text_of(message):
    return "".join(block.text for block in message.content if block.type == "text")


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
    that(took >= at_least, f"{len(arrivals)} events came within {took:.3f} s: they were held back")


FACTS = [
    a_message_is_answered,
    a_stream_arrives_event_by_event,
    a_streamed_message_adds_up,
    a_stream_that_is_left_early_leaves_the_client_usable,
    a_silent_provider_is_waited_for,
    tokens_are_counted,
    models_are_listed_in_anthropics_own_shape,
    a_tool_is_called_and_its_result_reaches_the_answer,
    two_tools_are_called_in_parallel,
    streamed_tool_calls_add_up,
    errors_keep_their_class_type_and_id,
    an_always_failing_call_is_sent_three_times_in_all,
    retry_after_is_waited_out,
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
    print(f"anthropic {anthropic.__version__} for Python: {len(FACTS)} facts")


main()
