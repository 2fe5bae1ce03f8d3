//! Chat clients, served by Anthropic's messages API.
