//! Legacy completions clients, served by chat.
