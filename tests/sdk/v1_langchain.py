"""Drives a gateway's unified API with LangChain, by each of its chat models, towards providers of several formats.

    python tests/sdk/v1_langchain.py http://127.0.0.1:3000 KEY openai/demo claude/demo gemini/demo onemin/demo
"""

import logging
import os
import warnings

# Nothing of a test leaves this machine.
os.environ.update(LANGSMITH_TRACING="false", LANGCHAIN_TRACING_V2="false")

import langchain_core
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel

from facts import (
    GATEWAY, KEY, PNG_SEEN, PNG_URL, QUESTION, SILENCE, TIME, TWO_TOOLS, WEATHER, Clock, prove, raises, same, that,
)

# What the libraries warn of, such as settings that a provider lacks, is no fact of ours.
logging.disable(logging.WARNING)
warnings.simplefilter("ignore")

CALLS = [("get_weather", {"city": "Lisbon"}), ("get_time", {"city": "Oslo"})]


class Tram(BaseModel):
    """The shape of a structured answer."""

    line: int
    stops: list[str]


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return WEATHER


@tool
def get_time(city: str) -> str:
    """The time in a city."""
    return TIME


def chat_openai(model, **more):
    return ChatOpenAI(
        model=model, base_url=f"{GATEWAY}/v1", api_key=KEY, max_retries=0, stream_usage=True, **more
    )


def responses(model, **more):
    return chat_openai(model, use_responses_api=True, **more)


def chat_anthropic(model, **more):
    return ChatAnthropic(model=model, base_url=GATEWAY, api_key=KEY, max_retries=0, max_tokens=8000, **more)


def chat_google(model, **more):
    return ChatGoogleGenerativeAI(model=model, base_url=GATEWAY, google_api_key=KEY, max_retries=1, **more)


# Each chat model of LangChain, and how it is told to think.
WAYS = {
    "ChatOpenAI": (chat_openai, {"reasoning_effort": "high"}),
    "ChatOpenAI with responses": (responses, {"reasoning": {"effort": "high", "summary": "auto"}}),
    "ChatAnthropic": (chat_anthropic, {"thinking": {"type": "enabled", "budget_tokens": 2000}}),
    "ChatGoogleGenerativeAI": (chat_google, {"thinking_budget": 2000, "include_thoughts": True}),
}


def chat(model, way, **more):
    return WAYS[way][0](model, **more)


def streamed(llm, asked):
    """A stream, put together the way LangChain does it."""
    whole = None
    for chunk in llm.stream(asked):
        whole = chunk if whole is None else whole + chunk
    return whole


# ---- chat ----


def a_message_is_answered(model, way):
    text = chat(model, way).invoke(QUESTION).text
    that(QUESTION in text, f"the answer does not quote the question: {text!r}")


def a_stream_says_what_the_answer_would(model, way):
    chunks = list(chat(model, way).stream(QUESTION))
    that(len([chunk for chunk in chunks if chunk.text]) >= 2, "the text came in one piece")
    # Its model of Gemini leaves out a piece of white space.
    text = "".join(chunk.text for chunk in chunks)
    same(text.rstrip(), chat(model, way).invoke(QUESTION).text.rstrip(), "text")


def usage_is_told(model, way):
    for answer in [chat(model, way).invoke(QUESTION), streamed(chat(model, way), QUESTION)]:
        usage = answer.usage_metadata
        that(usage and usage["input_tokens"] > 0 and usage["output_tokens"] > 0, f"tokens {usage}")


def a_system_message_and_earlier_turns_are_taken(model, way):
    talk = [SystemMessage("You are terse."), HumanMessage("Hello"), AIMessage("Hello."), HumanMessage(QUESTION)]
    that(QUESTION in chat(model, way).invoke(talk).text, "the last message is not answered")


def a_silent_provider_is_waited_for(model, way):
    clock = Clock()
    that(streamed(chat(f"{model}-slow", way), QUESTION).text, "the streamed text is empty")
    that(clock.seconds() >= SILENCE, "the demo was not silent at all")


def a_failure_after_a_silence_is_an_error(model, way):
    error = raises(Exception, lambda: streamed(chat(f"{model}-slow-error-503", way), QUESTION))
    that("503" in str(error), f"the error does not say what the provider said: {error!r}")


def a_stream_that_is_left_early_leaves_the_client_usable(model, way):
    llm = chat(model, way)
    stream = chat(f"{model}-slow", way).stream(QUESTION)
    next(stream)
    stream.close()
    that(llm.invoke(QUESTION).text, "the answer is empty")


def errors_keep_their_status(model, way):
    for status in [400, 401, 404, 429, 500]:
        for ask in [lambda llm: llm.invoke(QUESTION), lambda llm: streamed(llm, QUESTION)]:
            error = raises(Exception, lambda: ask(chat(f"{model}-error-{status}", way)))
            that(status_of(error) == status, f"the error of a {status} is {error!r}")


def status_of(error):
    """The status that an error has, or the one that it was raised from: LangChain wraps Google's."""
    found = getattr(error, "status_code", None) or getattr(error, "code", None)
    if isinstance(found, int) or error.__cause__ is None:
        return found
    return status_of(error.__cause__)


def a_stream_that_breaks_off_is_an_error(model, way):
    for how in ["cut", "ended", "overloaded"]:
        error = raises(Exception, lambda: streamed(chat(f"{model}-{how}", way), QUESTION))
        that(str(error), f"{how}: the error has no message")


# ---- what only some can ----


def two_tools_are_called_and_their_results_reach_the_answer(model, way, **more):
    llm = chat(model, way, **more).bind_tools([get_weather, get_time])
    asked = HumanMessage(TWO_TOOLS)
    for message in [llm.invoke([asked]), streamed(llm, [asked])]:
        same([(call["name"], call["args"]) for call in message.tool_calls], CALLS, "calls")
        tools = {"get_weather": get_weather, "get_time": get_time}
        results = [
            ToolMessage(tools[call["name"]].invoke(call["args"]), tool_call_id=call["id"], name=call["name"])
            for call in message.tool_calls
        ]
        text = llm.invoke([asked, message, *results]).text
        that(WEATHER in text and TIME in text, f"the answer does not quote both tools: {text!r}")


def a_picture_arrives_as_it_was_sent(model, way):
    parts = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": PNG_URL}}]
    text = chat(model, way).invoke([HumanMessage(parts)]).text
    that(PNG_SEEN in text, f"expected {PNG_SEEN!r} in {text!r}")


def a_schema_shapes_the_answer(model, way):
    for method in ["json_schema", "function_calling"]:
        found = chat(model, way).with_structured_output(Tram, method=method).invoke(QUESTION)
        same(type(found), Tram, f"type of the answer by {method}")


def an_effort_has_the_model_think(model, way):
    llm = chat(model, way, **WAYS[way][1])
    whole, stream = llm.invoke(QUESTION), streamed(llm, QUESTION)
    that(whole.text, "the answer is empty")
    same(stream.text, whole.text, "text after the thoughts")
    # OpenAI's own chat API does not tell its thoughts, and LangChain's model for it reads nobody's.
    if way == "ChatOpenAI" or (model.startswith("openai/") and way != "ChatOpenAI with responses"):
        return
    that(thoughts_of(whole), f"the answer tells no thought: {whole.content!r}")
    same(thoughts_of(stream), thoughts_of(whole), "streamed thoughts")


def thoughts_of(message):
    blocks = [block for block in message.content_blocks if block["type"] == "reasoning"]
    return "".join(block.get("reasoning", "") for block in blocks)


def thoughts_lead_to_tools_and_back(model, way):
    two_tools_are_called_and_their_results_reach_the_answer(model, way, **WAYS[way][1])


def embeddings_are_made(model, way):
    if way != "ChatOpenAI" or model.startswith("claude/"):
        return
    # It would fetch a vocabulary to count tokens with.
    embedder = OpenAIEmbeddings(
        model=model, base_url=f"{GATEWAY}/v1", api_key=KEY, max_retries=0, check_embedding_ctx_length=False
    )
    vectors = embedder.embed_documents(["one", "two", "tři"])
    same(len(vectors), 3, "vectors")
    that(all(vectors), "a vector is empty")


PLAIN = [
    a_message_is_answered,
    a_stream_says_what_the_answer_would,
    a_system_message_and_earlier_turns_are_taken,
    a_silent_provider_is_waited_for,
    a_stream_that_is_left_early_leaves_the_client_usable,
    errors_keep_their_status,
]

FURTHER = [
    usage_is_told,
    a_failure_after_a_silence_is_an_error,
    a_stream_that_breaks_off_is_an_error,
    two_tools_are_called_and_their_results_reach_the_answer,
    a_picture_arrives_as_it_was_sent,
    a_schema_shapes_the_answer,
    an_effort_has_the_model_think,
    thoughts_lead_to_tools_and_back,
    embeddings_are_made,
]

prove(f"langchain-core {langchain_core.__version__} for Python", PLAIN, FURTHER, list(WAYS))
