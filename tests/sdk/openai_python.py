"""Drives a running gateway with OpenAI's SDK for Python, the way a program does.

    python tests/sdk/openai_python.py http://127.0.0.1:3000

Every function named in FACTS is one fact, proved against the demo provider behind the gateway. The
first one that does not hold ends the run with what was expected and what was found.
"""

import base64
import json
import os
import sys
import time

import openai

GATEWAY = sys.argv[1].rstrip("/")
SERVICE = GATEWAY + os.environ.get("TWINLANE_PREFIX", "/gateway/demo")
MODEL = "demo"
# How long a provider has to be silent before the gateway speaks in its place, in milliseconds.
SILENCE = os.environ.get("TWINLANE_SILENCE_MS", "11000")

QUESTION = [{"role": "user", "content": "Say hello to Žižkov 🚋"}]
WEATHER_TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
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
    return openai.OpenAI(
        base_url=f"{SERVICE}/v1",
        api_key=os.environ.get("TWINLANE_TOKEN", "sk-demo"),
        max_retries=max_retries,
        timeout=60,
        http_client=openai.DefaultHttpxClient(event_hooks=hooks),
    )


ai = client()


# ---- chat ----


def a_chat_is_answered():
    chat = ai.chat.completions.create(model=MODEL, messages=QUESTION)
    choice = chat.choices[0]
    same(chat.object, "chat.completion", "object")
    same(choice.message.role, "assistant", "role")
    same(choice.finish_reason, "stop", "finish reason")
    that(choice.message.content, "the answer is empty")
    that(chat._request_id, "the answer has no request id")
    usage = chat.usage
    same(usage.prompt_tokens + usage.completion_tokens, usage.total_tokens, "sum of the tokens")


def a_stream_arrives_piece_by_piece():
    pieces, finish, arrivals = [], None, []
    for chunk in ai.chat.completions.create(
        model=MODEL,
        messages=QUESTION,
        stream=True,
        extra_headers={"x-demo-chunks": "8", "x-demo-chunk-delay-ms": "80"},
    ):
        arrivals.append(time.monotonic())
        pieces.append(text_of(chunk))
        for choice in chunk.choices:
            finish = choice.finish_reason or finish
        that(chunk.usage is None, "usage came without being asked for")
    that("".join(pieces), "the streamed text is empty")
    that(len([piece for piece in pieces if piece]) >= 2, f"one piece only: {pieces}")
    same(finish, "stop", "finish reason")
    spread_out(arrivals, at_least=0.3)


def a_stream_says_its_usage_when_asked():
    chunks = list(
        ai.chat.completions.create(
            model=MODEL, messages=QUESTION, stream=True, stream_options={"include_usage": True}
        )
    )
    same(chunks[-1].choices, [], "choices of the last chunk")
    that(chunks[-1].usage.total_tokens > 0, "the last chunk counts no tokens")
    that(all(chunk.usage is None for chunk in chunks[:-1]), "usage came before the last chunk")


def a_stream_that_is_left_early_leaves_the_client_usable():
    stream = ai.chat.completions.create(
        model=MODEL,
        messages=QUESTION,
        stream=True,
        extra_headers={"x-demo-chunks": "100", "x-demo-chunk-delay-ms": "50"},
    )
    next(iter(stream))
    stream.close()
    a_chat_is_answered()


def a_silent_provider_is_waited_for():
    began = time.monotonic()
    stream = ai.chat.completions.create(
        model=MODEL, messages=QUESTION, stream=True, extra_headers={"x-demo-delay-ms": SILENCE}
    )
    that("".join(text_of(chunk) for chunk in stream), "the streamed text is empty")
    that(time.monotonic() - began >= int(SILENCE) / 1000, "the demo was not silent at all")


def a_failure_after_a_silence_is_an_error():
    how = {"x-demo-delay-ms": SILENCE, "x-demo-status": "503"}
    error = raises(
        openai.APIError,
        lambda: list(
            ai.chat.completions.create(
                model=MODEL, messages=QUESTION, stream=True, extra_headers=how
            )
        ),
    )
    that("503" in error.message, f"the message does not say what the provider said: {error.message!r}")


def text_of(chunk):
    return "".join(choice.delta.content or "" for choice in chunk.choices)


# ---- tools ----


def a_tool_is_called_and_its_result_reaches_the_answer():
    messages = [{"role": "user", "content": "What is the weather in Oslo?"}]
    chat = ai.chat.completions.create(model=MODEL, messages=messages, tools=[WEATHER_TOOL])
    same(chat.choices[0].finish_reason, "tool_calls", "finish reason")
    calls = chat.choices[0].message.tool_calls
    same([call.function.name for call in calls], ["get_weather"], "tools called")
    same(cities(calls), ["Oslo"], "cities asked about")
    messages += [
        chat.choices[0].message,
        {"role": "tool", "tool_call_id": calls[0].id, "content": "Sněží, −7 °C ❄"},
    ]
    answer = ai.chat.completions.create(model=MODEL, messages=messages, tools=[WEATHER_TOOL])
    same(answer.choices[0].finish_reason, "stop", "finish reason after the tool")
    text = answer.choices[0].message.content
    that("Sněží, −7 °C ❄" in text, f"the answer does not quote the tool: {text!r}")


def two_tools_are_called_in_parallel():
    messages = [{"role": "user", "content": "Compare the weather in Oslo and Lisbon."}]
    chat = ai.chat.completions.create(model=MODEL, messages=messages, tools=[WEATHER_TOOL])
    calls = chat.choices[0].message.tool_calls
    same(cities(calls), ["Lisbon", "Oslo"], "cities asked about")
    that(calls[0].id != calls[1].id, "two calls share an id")


def streamed_tool_calls_add_up():
    messages = [{"role": "user", "content": "Compare the weather in Oslo and Lisbon."}]
    with ai.chat.completions.stream(model=MODEL, messages=messages, tools=[WEATHER_TOOL]) as stream:
        chat = stream.get_final_completion()
    same(chat.choices[0].finish_reason, "tool_calls", "finish reason")
    same(cities(chat.choices[0].message.tool_calls), ["Lisbon", "Oslo"], "cities asked about")


def cities(calls):
    return sorted(json.loads(call.function.arguments)["city"] for call in calls)


def json_mode_answers_with_json():
    chat = ai.chat.completions.create(
        model=MODEL, messages=QUESTION, response_format={"type": "json_object"}
    )
    same(type(json.loads(chat.choices[0].message.content)), dict, "type of the answer")


# ---- the other endpoints ----


def embeddings_have_one_vector_per_input():
    answer = ai.embeddings.create(model=MODEL, input=["one", "two", "tři"])
    same([item.index for item in answer.data], [0, 1, 2], "indices")
    lengths = {len(item.embedding) for item in answer.data}
    that(len(lengths) == 1 and min(lengths) > 0, f"vectors of lengths {lengths}")
    that(any(number != 0 for number in answer.data[0].embedding), "the vector is all zeros")


def an_image_is_a_png():
    answer = ai.images.generate(model=MODEL, prompt="a tram", response_format="b64_json")
    image = base64.b64decode(answer.data[0].b64_json, validate=True)
    same(image[:8], b"\x89PNG\r\n\x1a\n", "first bytes")
    that(b"IEND" in image[-12:], "the PNG has no end")


def models_are_listed_and_found_by_name():
    models = list(ai.models.list())
    that(models, "no model is listed")
    found = ai.models.retrieve(models[0].id)
    same(found.id, models[0].id, "id of the model")
    same(found.object, "model", "object")


def a_file_comes_back_byte_for_byte():
    sent = os.urandom(3 * 1024 * 1024)
    file = ai.files.create(file=("náhodný soubor.bin", sent), purpose="user_data")
    same(file.bytes, len(sent), "size of the file")
    same(file.filename, "náhodný soubor.bin", "name of the file")
    same(ai.files.retrieve(file.id).id, file.id, "id of the file")
    found = ai.files.content(file.id).read()
    that(found == sent, f"{len(sent)} bytes went in and {len(found)} other bytes came out")
    that(ai.files.delete(file.id).deleted, "the file was not deleted")
    raises(openai.NotFoundError, lambda: ai.files.retrieve(file.id))


def speech_is_binary():
    audio = ai.audio.speech.create(model=MODEL, voice="alloy", input="Dobrý den", response_format="wav")
    same(audio.content[:4], b"RIFF", "first bytes")
    that(len(audio.content) > 44, "the sound is empty")
    kind = audio.response.headers["content-type"]
    that(kind.startswith("audio/"), f"content type {kind}")


def an_uploaded_recording_is_transcribed():
    recording = b"RIFF\0\0\0\0WAVE" + os.urandom(64 * 1024)
    answer = ai.audio.transcriptions.create(model=MODEL, file=("dobrý den.wav", recording, "audio/wav"))
    heard = f"{len(recording)} bytes arrived, audio/wav"
    that(heard in answer.text, f"expected {heard!r} in {answer.text!r}")


def a_text_is_moderated():
    answer = ai.moderations.create(input="a harmless text")
    same([result.flagged for result in answer.results], [False], "flags")


# ---- responses ----


def a_response_is_answered():
    answer = ai.responses.create(model=MODEL, input="Say hello")
    same(answer.status, "completed", "status")
    that(answer.output_text, "the answer is empty")
    that(answer.usage.total_tokens > 0, "the answer counts no tokens")


def a_streamed_response_adds_up():
    kinds, text, final = [], "", None
    for event in ai.responses.create(model=MODEL, input="Say hello", stream=True):
        kinds.append(event.type)
        if event.type == "response.output_text.delta":
            text += event.delta
        if event.type == "response.completed":
            final = event.response
    same(kinds[0], "response.created", "first event")
    same(kinds[-1], "response.completed", "last event")
    that(text, "the streamed text is empty")
    same(text, final.output_text, "pieces put together")


# ---- errors and retries ----


def errors_keep_their_class_message_and_id():
    for status, kind in {
        401: openai.AuthenticationError,
        404: openai.NotFoundError,
        429: openai.RateLimitError,
        500: openai.InternalServerError,
        503: openai.InternalServerError,
    }.items():
        error = raises(kind, lambda: chat_with({"x-demo-status": str(status)}))
        same(error.status_code, status, "status")
        that(error.request_id, f"a {status} has no request id")
        that(error.type, f"a {status} has no type")
        that(error.body and error.body["message"] in error.message, f"message {error.message!r}")


def an_always_failing_call_is_sent_three_times_in_all():
    answers = Answers()
    raises(openai.InternalServerError, lambda: chat_with({"x-demo-status": "500"}, 2, answers))
    attempts = [int(answer.headers.get("x-attempts", 1)) for answer in answers.seen]
    same(attempts, [1, 1, 1], "attempts behind each of the SDK's three tries")


def a_provider_that_recovers_is_reached_by_the_sdks_own_retry():
    answers = Answers()
    recovers = {"x-demo-status": "503", "x-demo-times": "1", "x-demo-key": fresh_key()}
    chat_with(recovers, 2, answers)
    same([answer.status_code for answer in answers.seen], [503, 200], "statuses")


def retry_after_is_waited_out():
    answers = Answers()
    busy = {
        "x-demo-status": "429",
        "x-demo-retry-after": "1",
        "x-demo-times": "1",
        "x-demo-key": fresh_key(),
    }
    began = time.monotonic()
    chat_with(busy, 2, answers)
    same([answer.status_code for answer in answers.seen], [429, 200], "statuses")
    same(answers.seen[0].headers.get("retry-after"), "1", "retry-after")
    that(time.monotonic() - began >= 1, "the SDK did not wait the second it was asked for")


def a_stream_that_is_cut_is_an_error():
    for cut in ["body", "body-reset", "clean"]:
        how = {"x-demo-cut": cut, "x-demo-cut-after": "3", "x-demo-chunks": "8"}
        stream = ai.chat.completions.create(
            model=MODEL, messages=QUESTION, stream=True, extra_headers=how
        )
        error = raises(openai.APIError, lambda: list(stream))
        that(error.message, f"cut '{cut}': the error has no message")
        that(
            not isinstance(error, openai.APIConnectionError),
            f"cut '{cut}': the connection broke, where an error in the stream was due",
        )


def chat_with(headers, max_retries=0, answers=None):
    ai = client(max_retries, answers)
    return ai.chat.completions.create(model=MODEL, messages=QUESTION, extra_headers=headers)


def fresh_key():
    return os.urandom(8).hex()


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
    that(took >= at_least, f"{len(arrivals)} chunks came within {took:.3f} s: they were held back")


FACTS = [
    a_chat_is_answered,
    a_stream_arrives_piece_by_piece,
    a_stream_says_its_usage_when_asked,
    a_stream_that_is_left_early_leaves_the_client_usable,
    a_silent_provider_is_waited_for,
    a_failure_after_a_silence_is_an_error,
    a_tool_is_called_and_its_result_reaches_the_answer,
    two_tools_are_called_in_parallel,
    streamed_tool_calls_add_up,
    json_mode_answers_with_json,
    embeddings_have_one_vector_per_input,
    an_image_is_a_png,
    models_are_listed_and_found_by_name,
    a_file_comes_back_byte_for_byte,
    speech_is_binary,
    an_uploaded_recording_is_transcribed,
    a_text_is_moderated,
    a_response_is_answered,
    a_streamed_response_adds_up,
    errors_keep_their_class_message_and_id,
    an_always_failing_call_is_sent_three_times_in_all,
    a_provider_that_recovers_is_reached_by_the_sdks_own_retry,
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
    print(f"openai {openai.__version__} for Python: {len(FACTS)} facts")


main()
