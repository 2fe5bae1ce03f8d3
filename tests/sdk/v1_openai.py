"""Drives a gateway's unified API with OpenAI's SDK for Python, towards providers of several formats.

    python tests/sdk/v1_openai.py http://127.0.0.1:3000 KEY openai/demo claude/demo gemini/demo onemin/demo
"""

import json

import openai
from pydantic import BaseModel

from facts import (
    CITY, GATEWAY, KEY, PNG_SEEN, PNG_URL, QUESTION, SILENCE, SOON, TIME, TWO_TOOLS, WEATHER, Clock,
    prove, raises, same, that,
)

ai = openai.OpenAI(base_url=f"{GATEWAY}/v1", api_key=KEY, max_retries=0, timeout=60)

SAID = [{"role": "user", "content": QUESTION}]
ASKED_FOR_TOOLS = [{"role": "user", "content": TWO_TOOLS}]
TOOLS = [
    {"type": "function", "function": {"name": "get_weather", "description": "The weather.", "parameters": CITY}},
    {"type": "function", "function": {"name": "get_time", "description": "The time.", "parameters": CITY}},
]
# The same tools as responses have them.
FLAT_TOOLS = [{"type": "function", "strict": False, **tool["function"]} for tool in TOOLS]


class Tram(BaseModel):
    """The shape of a structured answer."""

    line: int
    stops: list[str]


def chat(model, messages=SAID, **more):
    return ai.chat.completions.create(model=model, messages=messages, **more)


def streamed(model, messages=SAID, **more):
    return list(chat(model, messages, stream=True, **more))


# ---- chat ----


def a_chat_is_answered(model):
    answer = chat(model)
    choice = answer.choices[0]
    same(answer.object, "chat.completion", "object")
    same(choice.message.role, "assistant", "role")
    same(choice.finish_reason, "stop", "finish reason")
    that(QUESTION in choice.message.content, f"the answer does not quote the question: {choice.message.content!r}")
    that(answer.id and answer.created > 0 and answer.model, "the answer has no id, time or model")
    that(answer._request_id, "the answer has no request id")


def a_chat_says_its_usage(model):
    usage = chat(model).usage
    same(usage.prompt_tokens + usage.completion_tokens, usage.total_tokens, "sum of the tokens")
    that(usage.prompt_tokens > 0 and usage.completion_tokens > 0, f"tokens {usage}")


def a_stream_says_what_the_answer_would(model):
    chunks = streamed(model)
    same(text_of(chunks), chat(model).choices[0].message.content, "text")
    same(finish_of(chunks), "stop", "finish reason")
    same({chunk.object for chunk in chunks}, {"chat.completion.chunk"}, "objects")
    same(len({chunk.id for chunk in chunks}), 1, "ids of one stream")
    same(chunks[0].choices[0].delta.role, "assistant", "role")
    that(len([chunk for chunk in chunks if text_of([chunk])]) >= 2, "the text came in one piece")


def a_stream_says_its_usage_only_when_asked(model):
    that(all(chunk.usage is None for chunk in streamed(model)), "usage came without being asked for")
    that(all(chunk.choices for chunk in streamed(model)), "a chunk without choices came unasked")
    chunks = streamed(model, stream_options={"include_usage": True})
    same(chunks[-1].choices, [], "choices of the last chunk")
    that(all(chunk.choices and chunk.usage is None for chunk in chunks[:-1]), "usage came before the last chunk")
    usage = chunks[-1].usage
    that(usage.prompt_tokens > 0 and usage.completion_tokens > 0, f"the last chunk counts {usage}")
    same(usage.prompt_tokens + usage.completion_tokens, usage.total_tokens, "sum of the tokens")


def a_system_message_and_earlier_turns_are_taken(model):
    talk = [
        {"role": "system", "content": "You are terse."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hello. "},
        *SAID,
    ]
    that(QUESTION in chat(model, talk).choices[0].message.content, "the last message is not answered")


def a_silent_provider_is_waited_for(model):
    clock = Clock()
    stream = chat(f"{model}-slow", stream=True)
    that(clock.seconds() < SOON, f"the head took {clock.seconds():.1f} s: nothing kept the client alive")
    chunks = list(stream)
    that(text_of(chunks), "the streamed text is empty")
    same(finish_of(chunks), "stop", "finish reason")
    that(clock.seconds() >= SILENCE, "the demo was not silent at all")


def a_failure_after_a_silence_is_an_error(model):
    error = raises(openai.APIError, lambda: streamed(f"{model}-slow-error-503"))
    that("503" in str(error.message), f"the message does not say what the provider said: {error.message!r}")


def a_stream_that_is_left_early_leaves_the_client_usable(model):
    with chat(f"{model}-slow", stream=True) as stream:
        next(iter(stream))
    a_chat_is_answered(model)


def errors_keep_their_class_and_message(model):
    for status, kind in {
        400: openai.BadRequestError,
        401: openai.AuthenticationError,
        403: openai.PermissionDeniedError,
        404: openai.NotFoundError,
        422: openai.UnprocessableEntityError,
        429: openai.RateLimitError,
        500: openai.InternalServerError,
        503: openai.InternalServerError,
    }.items():
        for stream in [False, True]:
            error = raises(kind, lambda: chat(f"{model}-error-{status}", stream=stream))
            same(error.status_code, status, "status")
            that(error.request_id, f"a {status} has no request id")
            that(error.type, f"a {status} has no type")
            that(error.body and error.body["message"] in error.message, f"message {error.message!r}")
            that("code" in error.body and "param" in error.body, f"a {status} is not OpenAI's: {error.body}")


def a_stream_that_breaks_off_is_an_error(model):
    for how in ["cut", "ended", "overloaded"]:
        stream = chat(f"{model}-{how}", stream=True)
        error = raises(openai.APIError, lambda: list(stream))
        that(not isinstance(error, openai.APIConnectionError), f"{how}: the connection broke")
        that(error.message, f"{how}: the error has no message")


def a_stranger_is_not_admitted(model):
    stranger = openai.OpenAI(base_url=f"{GATEWAY}/v1", api_key="sk-somebody-else-s-key", max_retries=0)
    error = raises(
        openai.AuthenticationError,
        lambda: stranger.chat.completions.create(model=model, messages=SAID),
    )
    that(error.message and error.type, f"{error!r}")


# ---- what only some can ----


def two_tools_are_called_and_their_results_reach_the_answer(model):
    answer = chat(model, ASKED_FOR_TOOLS, tools=TOOLS)
    same(answer.choices[0].finish_reason, "tool_calls", "finish reason")
    message = answer.choices[0].message
    same(calls_of(message), CALLS, "calls")
    that(message.tool_calls[0].id != message.tool_calls[1].id, "two calls share an id")
    reply = chat(model, [*ASKED_FOR_TOOLS, message, *results_of(message)], tools=TOOLS)
    quoted(reply.choices[0].message.content)
    same(reply.choices[0].finish_reason, "stop", "finish reason after the tools")


def streamed_tool_calls_are_those_of_the_answer(model):
    with ai.chat.completions.stream(model=model, messages=ASKED_FOR_TOOLS, tools=TOOLS) as stream:
        answer = stream.get_final_completion()
    message = answer.choices[0].message
    same(answer.choices[0].finish_reason, "tool_calls", "finish reason")
    same(calls_of(message), CALLS, "calls")
    with ai.chat.completions.stream(
        model=model, messages=[*ASKED_FOR_TOOLS, message, *results_of(message)], tools=TOOLS
    ) as stream:
        quoted(stream.get_final_completion().choices[0].message.content)


def a_tool_can_be_demanded_or_forbidden(model):
    named = {"type": "function", "function": {"name": "get_time"}}
    for choice, expected in [("required", "get_weather"), (named, "get_time")]:
        message = chat(model, tools=TOOLS, tool_choice=choice).choices[0].message
        same([call.function.name for call in message.tool_calls or []], [expected], f"tools called by {choice}")
    message = chat(model, ASKED_FOR_TOOLS, tools=TOOLS, tool_choice="none").choices[0].message
    same(message.tool_calls, None, "tools called though none may be")
    one = ai.chat.completions.with_raw_response.create(
        model=model, messages=ASKED_FOR_TOOLS, tools=TOOLS, parallel_tool_calls=False
    )
    if model.startswith("gemini/"):
        # Gemini cannot be kept to one call, and whoever asked for it is told.
        that("parallel_tool_calls" in one.headers.get("x-dropped-params", ""), "nobody says that it was dropped")
    else:
        same(len(one.parse().choices[0].message.tool_calls), 1, "calls where only one is allowed")


CALLS = [("get_weather", "Lisbon"), ("get_time", "Oslo")]


def calls_of(message):
    return [(call.function.name, json.loads(call.function.arguments)["city"]) for call in message.tool_calls]


def results_of(message):
    results = {"get_weather": WEATHER, "get_time": TIME}
    return [
        {"role": "tool", "tool_call_id": call.id, "content": results[call.function.name]}
        for call in message.tool_calls
    ]


def quoted(text):
    that(WEATHER in text and TIME in text, f"the answer does not quote both tools: {text!r}")


def a_picture_arrives_as_it_was_sent(model):
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": PNG_URL}},
    ]
    text = chat(model, [{"role": "user", "content": parts}]).choices[0].message.content
    that(PNG_SEEN in text, f"expected {PNG_SEEN!r} in {text!r}")


def a_schema_shapes_the_answer(model):
    answer = ai.chat.completions.parse(model=model, messages=SAID, response_format=Tram)
    same(type(answer.choices[0].message.parsed), Tram, "type of the answer")
    same(answer.choices[0].finish_reason, "stop", "finish reason")
    with ai.chat.completions.stream(model=model, messages=SAID, response_format=Tram) as stream:
        same(type(stream.get_final_completion().choices[0].message.parsed), Tram, "type of the streamed answer")


def json_mode_answers_with_json(model):
    said = [{"role": "user", "content": "Answer in JSON."}]
    answer = chat(model, said, response_format={"type": "json_object"})
    if model.startswith("claude/"):
        # Claude has no such mode and is asked in words, which the demo does not read.
        that(answer.choices[0].message.content, "the answer is empty")
        return
    same(type(json.loads(answer.choices[0].message.content)), dict, "type of the answer")


def an_effort_has_the_model_think(model):
    answer = chat(model, reasoning_effort="high", max_completion_tokens=8000)
    that(answer.choices[0].message.content, "the answer is empty")
    chunks = streamed(
        model, reasoning_effort="high", max_completion_tokens=8000, stream_options={"include_usage": True}
    )
    if model.startswith("openai/"):
        # OpenAI's own chat API counts its thoughts and does not tell them.
        that(answer.usage.completion_tokens_details.reasoning_tokens > 0, "no thoughts are counted")
        that(chunks[-1].usage.completion_tokens_details.reasoning_tokens > 0, "no streamed thoughts are counted")
        return
    thought = answer.choices[0].message.reasoning_content
    that(thought, "the answer tells no thought")
    same(thoughts_of(chunks), thought, "streamed thoughts")
    same(text_of(chunks), answer.choices[0].message.content, "text after the thoughts")


def thoughts_lead_to_tools_and_back(model):
    """What a client that echoes the whole message sends back is taken, thoughts and signatures included."""
    more = {"tools": TOOLS, "reasoning_effort": "high", "max_completion_tokens": 8000}
    message = chat(model, ASKED_FOR_TOOLS, **more).choices[0].message
    same(calls_of(message), CALLS, "calls")
    reply = chat(model, [*ASKED_FOR_TOOLS, message.to_dict(), *results_of(message)], **more)
    quoted(reply.choices[0].message.content)


def limits_and_stops_are_told(model):
    answer = chat(model, max_completion_tokens=5)
    same(answer.choices[0].finish_reason, "length", "finish reason at the limit")
    that(answer.usage.completion_tokens <= 5, f"tokens past the limit: {answer.usage}")
    same(finish_of(streamed(f"{model}-length")), "length", "finish reason of a stream at its limit")
    stopped = chat(model, stop=["provider", "never said"])
    same(stopped.choices[0].finish_reason, "stop", "finish reason at a stop")
    same(stopped.choices[0].message.content.rstrip(), "This is Twinlane's demo", "text before the stop")


def a_refusal_is_told(model):
    same(chat(f"{model}-refusal").choices[0].finish_reason, "content_filter", "finish reason")
    same(finish_of(streamed(f"{model}-refusal")), "content_filter", "finish reason of a stream")


# ---- responses, completions, embeddings ----


def a_response_is_answered_and_streams(model):
    answer = ai.responses.create(model=model, input=QUESTION)
    same(answer.status, "completed", "status")
    that(QUESTION in answer.output_text, f"the answer does not quote the question: {answer.output_text!r}")
    that(answer.usage.input_tokens > 0 and answer.usage.output_tokens > 0, f"tokens {answer.usage}")
    events = list(ai.responses.create(model=model, input=QUESTION, stream=True))
    same(events[0].type, "response.created", "first event")
    same(events[-1].type, "response.completed", "last event")
    same([event.sequence_number for event in events], list(range(len(events))), "numbers of the events")
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    same(text, answer.output_text, "pieces put together")
    same(events[-1].response.output_text, text, "text at the end")


def a_response_calls_two_tools_and_reads_their_results(model):
    answer = ai.responses.create(model=model, input=TWO_TOOLS, tools=FLAT_TOOLS)
    with ai.responses.stream(model=model, input=TWO_TOOLS, tools=FLAT_TOOLS) as stream:
        final = stream.get_final_response()
    for output in [answer.output, final.output]:
        calls = [item for item in output if item.type == "function_call"]
        same([(call.name, json.loads(call.arguments)["city"]) for call in calls], CALLS, "calls")
        results = {"get_weather": WEATHER, "get_time": TIME}
        said = [
            {"type": "function_call_output", "call_id": call.call_id, "output": results[call.name]}
            for call in calls
        ]
        talk = [{"role": "user", "content": TWO_TOOLS}, *(item.to_dict() for item in output), *said]
        quoted(ai.responses.create(model=model, input=talk, tools=FLAT_TOOLS).output_text)


def a_response_sees_thinks_and_keeps_to_a_schema(model):
    parts = [{"type": "input_text", "text": "What is this?"}, {"type": "input_image", "image_url": PNG_URL}]
    seen = ai.responses.create(model=model, input=[{"role": "user", "content": parts}])
    that(PNG_SEEN in seen.output_text, f"expected {PNG_SEEN!r} in {seen.output_text!r}")
    parsed = ai.responses.parse(model=model, input=QUESTION, text_format=Tram)
    same(type(parsed.output_parsed), Tram, "type of the answer")
    effort = {"effort": "high", "summary": "auto"}
    thought = ai.responses.create(model=model, input=QUESTION, reasoning=effort, max_output_tokens=8000)
    same(thought.output[0].type, "reasoning", "first item")
    that(thought.output[0].summary[0].text, "the summary is empty")
    with ai.responses.stream(
        model=model, input=QUESTION, reasoning=effort, max_output_tokens=8000
    ) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    that("response.reasoning_summary_text.delta" in kinds, f"no thought in {sorted(set(kinds))}")
    same(final.output[0].summary[0].text, thought.output[0].summary[0].text, "streamed summary")


def a_response_that_ends_otherwise_says_so(model):
    short = ai.responses.create(model=f"{model}-length", input=QUESTION)
    same((short.status, short.incomplete_details.reason), ("incomplete", "max_output_tokens"), "end at the limit")
    for how in ["cut", "ended", "overloaded"]:
        stream = ai.responses.create(model=f"{model}-{how}", input=QUESTION, stream=True)
        that(failure_of(stream), f"{how}: nobody says what went wrong")
    for status, kind in {400: openai.BadRequestError, 429: openai.RateLimitError}.items():
        error = raises(kind, lambda: ai.responses.create(model=f"{model}-error-{status}", input=QUESTION))
        that(error.body["message"] and error.type, f"{error!r}")


def failure_of(stream):
    """What a stream of events says went wrong: as an exception, or as its last event."""
    try:
        last = list(stream)[-1]
    except openai.APIError as error:
        return error.message
    if last.type == "error":
        return last.message
    same(last.type, "response.failed", "last event")
    return last.response.error.message


def a_silent_response_is_waited_for(model):
    clock = Clock()
    stream = ai.responses.create(model=f"{model}-slow", input=QUESTION, stream=True)
    that(clock.seconds() < SOON, f"the head took {clock.seconds():.1f} s: nothing kept the client alive")
    same(list(stream)[-1].type, "response.completed", "last event")
    that(clock.seconds() >= SILENCE, "the demo was not silent at all")


def a_prompt_is_completed(model):
    """The legacy API, which editors and older programs still speak."""
    answer = ai.completions.create(model=model, prompt=QUESTION, max_tokens=100)
    same((answer.object, answer.choices[0].finish_reason), ("text_completion", "stop"), "object and reason")
    that(answer.choices[0].text, "the answer is empty")
    chunks = list(ai.completions.create(model=model, prompt=QUESTION, max_tokens=100, stream=True))
    text = "".join(choice.text for chunk in chunks for choice in chunk.choices)
    same(text, answer.choices[0].text, "pieces put together")


def embeddings_are_made_or_refused(model):
    if model.startswith("claude/"):
        raises(openai.BadRequestError, lambda: ai.embeddings.create(model=model, input="one"))
        return
    answer = ai.embeddings.create(model=model, input=["one", "two", "tři"])
    same([item.index for item in answer.data], [0, 1, 2], "indices")
    lengths = {len(item.embedding) for item in answer.data}
    that(len(lengths) == 1 and min(lengths) > 0, f"vectors of lengths {lengths}")
    that(all(-1.001 <= number <= 1.001 for number in answer.data[0].embedding), "these are no floats of a vector")


def text_of(chunks):
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


def thoughts_of(chunks):
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    return "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas)


def finish_of(chunks):
    return next((choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason), None)


PLAIN = [
    a_chat_is_answered,
    a_stream_says_what_the_answer_would,
    a_system_message_and_earlier_turns_are_taken,
    a_silent_provider_is_waited_for,
    a_stream_that_is_left_early_leaves_the_client_usable,
    errors_keep_their_class_and_message,
    a_stranger_is_not_admitted,
]

FURTHER = [
    a_chat_says_its_usage,
    a_stream_says_its_usage_only_when_asked,
    a_failure_after_a_silence_is_an_error,
    a_stream_that_breaks_off_is_an_error,
    two_tools_are_called_and_their_results_reach_the_answer,
    streamed_tool_calls_are_those_of_the_answer,
    a_tool_can_be_demanded_or_forbidden,
    a_picture_arrives_as_it_was_sent,
    a_schema_shapes_the_answer,
    json_mode_answers_with_json,
    an_effort_has_the_model_think,
    thoughts_lead_to_tools_and_back,
    limits_and_stops_are_told,
    a_refusal_is_told,
    a_response_is_answered_and_streams,
    a_response_calls_two_tools_and_reads_their_results,
    a_response_sees_thinks_and_keeps_to_a_schema,
    a_response_that_ends_otherwise_says_so,
    a_silent_response_is_waited_for,
    a_prompt_is_completed,
    embeddings_are_made_or_refused,
]

prove(f"openai {openai.__version__} for Python", PLAIN, FURTHER)
