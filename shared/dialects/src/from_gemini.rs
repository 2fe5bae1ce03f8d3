//! Gemini clients, served by chat.
