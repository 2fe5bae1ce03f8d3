//! Anthropic messages clients, served by chat.
