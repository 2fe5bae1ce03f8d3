//! OpenAI responses clients, served by chat.
